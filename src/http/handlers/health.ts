/** The probes `/healthz` and `/readyz`. */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Operator } from "../../services/Operator.ts"
import { Api } from "../Api.ts"
import { failWith } from "../problems.ts"

const ok = { ok: true } as const

export const layer = HttpApiBuilder.group(
  Api,
  "health",
  Effect.fnUntraced(function* (handlers) {
    const operator = yield* Operator

    return handlers.handleAll({
      alive: () => Effect.succeed(ok),
      ready: Effect.fnUntraced(function* () {
        const { ready, reasons } = yield* operator.ready
        if (ready) return { ...ok, circuits: (yield* operator.circuits).map(({ agent, until }) => ({ agent, until })) }
        return yield* failWith({
          code: "not_ready",
          status: 503,
          detail: `Not ready: ${reasons.join("; ")}.`,
          reasons,
          retryAfterSeconds: 5
        } as const)
      })
    })
  })
)
