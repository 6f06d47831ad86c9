/** Reads one session through the dashboard's API: its detail, its steps, and the line behind a step. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import type { Detail, Step, Steps } from "../../src/inspect/sessionContract.ts"
import type { RunningTroupe } from "./harness.ts"

export const api = (id: string, rest = "") => `/inspect/api/sessions/${id}${rest}`

export const detailOf = ({ call }: RunningTroupe, token: string, id: string) =>
  Effect.map(call(api(id), { token }), ({ json }) => json as Detail)

/** Real processes answer in milliseconds; a busy machine takes longer. */
export const until = (troupe: RunningTroupe, token: string, id: string, holds: (detail: Detail) => boolean) =>
  Effect.gen(function* () {
    let detail = yield* detailOf(troupe, token, id)
    for (let n = 0; n < 400 && !holds(detail); n++) {
      yield* Effect.sleep("50 millis")
      detail = yield* detailOf(troupe, token, id)
    }
    assert.isTrue(holds(detail), `it stands at ${detail.session.substate}: ${detail.why.sentence}`)
    return detail
  })

export const at = (substate: string) => (detail: Detail) => detail.session.substate === substate

export const stepsOf = ({ call }: RunningTroupe, token: string, id: string) =>
  Effect.map(call(api(id, "/steps?limit=1000"), { token }), ({ json }) => (json as Steps).steps)

export const wireOf = ({ call }: RunningTroupe, token: string, id: string, { seq }: Step) =>
  Effect.map(call(api(id, `/steps/${seq}/wire`), { token }), ({ json }) => json)
