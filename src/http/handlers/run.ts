/** One-shot prompts over HTTP. The bodies have exactly the contract's keys. */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Idempotency } from "../../services/Idempotency.ts"
import type { StoredAnswer } from "../../services/Idempotency.ts"
import { OneShotRuns } from "../../services/OneShotRuns.ts"
import type { RunResult } from "../../agent/OneShot.ts"
import { FileId } from "../../domain/Ids.ts"
import { Api } from "../Api.ts"
import { CurrentCaller } from "../contract/Auth.ts"
import { answer, idempotent } from "../idempotent.ts"
import { refusing } from "../refusals.ts"
import { appNameOf } from "../dto.ts"

export const layer = HttpApiBuilder.group(
  Api,
  "run",
  Effect.fnUntraced(function* (handlers) {
    const idempotency = yield* Idempotency
    const runs = yield* OneShotRuns

    return handlers.handle(
      "run",
      Effect.fnUntraced(function* ({ payload, request }) {
        const app = appNameOf(yield* CurrentCaller)
        const work = runs.run(app, {
          prompt: payload.prompt,
          model: payload.model,
          system: payload.system,
          files: payload.files?.map((id) => FileId.make(id)),
          timeoutMillis: payload.timeoutS === undefined ? undefined : payload.timeoutS * 1000
        })
        return answer(yield* refusing(idempotent(idempotency, app, request, Effect.map(work, answerOf))))
      })
    )
  })
)

const answerOf = (result: RunResult): StoredAnswer =>
  result.ok
    ? {
        status: 200,
        body: JSON.stringify({
          ok: true,
          result: result.result,
          duration_ms: result.durationMillis,
          stop_reason: result.stopReason
        })
      }
    : {
        status: 502,
        body: JSON.stringify({
          ok: false,
          error: result.error,
          stderr: result.stderr,
          duration_ms: result.durationMillis,
          stop_reason: result.stopReason
        })
      }
