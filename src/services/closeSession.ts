/** Asks a session to close, and waits until no process of it is left. */
import { Effect } from "effect"
import * as ExpectEnds from "../supervision/expectEnds.ts"
import { SessionHost } from "../supervision/SessionHost.ts"
import type { SessionMessages } from "../supervision/sessionMessages.ts"

export const make = Effect.gen(function* () {
  const expect = yield* ExpectEnds.make
  const host = yield* SessionHost

  /** `closed` waits; not where the session closes after the turn that runs, which may take long. */
  return Effect.fnUntraced(function* (request: SessionMessages["close"]["request"]["Type"]) {
    const expected = expect(request.session)
    const { awaitsTurn, isClosed, isTaken } = yield* Effect.onError(host.close(request), () => expected.forget)
    return { isTaken, closed: expected.closed(isTaken && !awaitsTurn && !isClosed) } as const
  })
})
