/** One-shot prompts over HTTP. */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Idempotency } from "../../services/Idempotency.ts"
import type { KeyedRequest, ReceiptEffect, StoredAnswer } from "../../services/Idempotency.ts"
import { OneShotRuns } from "../../services/OneShotRuns.ts"
import type { RunResult } from "../../services/OneShotRuns.ts"
import { FileId } from "../../domain/Ids.ts"
import { Api } from "../Api.ts"
import { currentApp } from "../currentApp.ts"
import { idempotent } from "../idempotent.ts"
import { orProblem } from "../problems.ts"
import { runBody } from "../runBody.ts"
import { Streams } from "../Streams.ts"

export const layer = HttpApiBuilder.group(
  Api,
  "run",
  Effect.fnUntraced(function* (handlers) {
    const idempotency = yield* Idempotency
    const runs = yield* OneShotRuns
    const streams = yield* Streams

    return handlers.handle(
      "run",
      Effect.fnUntraced(function* ({ payload, request }) {
        const app = yield* currentApp
        const run = (keyed: KeyedRequest | undefined) =>
          runs.run(app, {
            prompt: payload.prompt,
            model: payload.model,
            system: payload.system,
            permissions: payload.permissions,
            files: payload.files?.map((id) => FileId.make(id)),
            timeoutMillis: payload.timeoutS === undefined ? undefined : payload.timeoutS * 1000,
            keyed
          })
        const work = {
          begin: (keyed: KeyedRequest | undefined) => Effect.map(run(keyed), answerOf),
          over: (effect: ReceiptEffect) => (effect._tag === "RunStarted" ? runs.over(effect.lease) : Effect.void),
          resume: () => Effect.succeed(answerOf(cutOff))
        }
        const whole = idempotent(idempotency, app, request, work)
        return yield* orProblem(streams.answer(whole, {}))
      })
    )
  })
)

/** Of a run whose process was started and whose answer is lost: its node died meanwhile, and its process with it. */
const cutOff: RunResult = {
  ok: false,
  error:
    "outcome_unknown: Troupe was cut off while the run was in progress. What the run did so far is done; its answer is lost.",
  stderr: "",
  durationMillis: 0,
  stopReason: "error"
}

const answerOf = (result: RunResult): StoredAnswer => ({
  status: result.ok ? 200 : 502,
  body: JSON.stringify(runBody(result))
})
