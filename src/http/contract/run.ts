/** The contract of `/run`: one prompt, one process, one answer, no session. Both bodies have exactly these keys. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { PermissionPolicy } from "../../domain/Permissions.ts"
import { Authorized } from "./Auth.ts"
import { FileIds, IdempotencyHeaders, Prompt, TimeoutSeconds } from "./bodies.ts"
import {
  badRequests,
  ConflictProblem,
  ForbiddenProblem,
  NotFoundProblem,
  UnprocessableProblem,
  ownFaults
} from "./Problem.ts"
import { lateDescription } from "./late.ts"
import { Ok, wire } from "./wire.ts"

export const RunResult = wire("RunResult", {
  ok: Ok,
  result: Schema.Json.annotate({
    description: "The model's JSON where its whole reply parses as JSON, else its text."
  }),
  durationMs: Schema.Finite,
  stopReason: Schema.String
})

export const FailedRun = wire("FailedRun", {
  ok: Schema.Literal(false),
  error: Schema.String,
  stderr: Schema.String,
  durationMs: Schema.Finite,
  stopReason: Schema.String.annotate({ description: "`timeout` where the deadline ended it." })
}).pipe(HttpApiSchema.status(502))

export class RunGroup extends HttpApiGroup.make("run")
  .add(
    HttpApiEndpoint.post("run", "/run", {
      headers: IdempotencyHeaders,
      payload: wire("RunRequest", {
        prompt: Prompt,
        model: Schema.optionalKey(Schema.NonEmptyString),
        system: Schema.optionalKey(Schema.String),
        permissions: Schema.optionalKey(
          PermissionPolicy.annotate({
            description:
              "What the run may do. `ask` and `approve_edits` are refused (422), because nobody can be asked. Absent: what the operator's own settings of claude allow, or `deny` for an app whose permissions the operator bounds."
          })
        ),
        files: Schema.optionalKey(FileIds),
        timeoutS: Schema.optionalKey(TimeoutSeconds)
      }),
      success: [RunResult, FailedRun],
      error: [...badRequests, ForbiddenProblem, NotFoundProblem, ConflictProblem, UnprocessableProblem, ...ownFaults]
    }).annotateMerge(
      OpenApi.annotations({ summary: "One prompt through a bare `claude -p` process", description: lateDescription })
    )
  )
  .middleware(Authorized)
  .annotate(OpenApi.Description, "One-shot prompts.") {}
