/** The events of one turn, for those who did not submit it or come back to it: from the ledger, then live to its end. */
import { Effect, Option, Stream } from "effect"
import { streamed } from "../domain/events/StreamedMessage.ts"
import type { AcpMessage } from "../domain/Acp.ts"
import { TurnNotFound, Unavailable } from "../domain/Refusal.ts"
import type { SessionRecord } from "../domain/Session.ts"
import { Ledger } from "../ledger/Ledger.ts"
import { EventFeed } from "../runtime/EventFeed.ts"

export const make = Effect.gen(function* () {
  const feed = yield* EventFeed
  const ledger = yield* Ledger

  return Effect.fnUntraced(function* ({ closedAt, id }: SessionRecord, turn: number, after?: number, follow = true) {
    const row = yield* ledger.turn(id, turn)
    if (Option.isNone(row)) return yield* new TurnNotFound({ index: turn })
    // A turn of an older Troupe may have ended without saying so: of one that is over, what is stored is all.
    const live = follow && closedAt === null && row.value.endedAt === null
    const from = after ?? before(yield* ledger.eventsOfTurn(id, turn))
    return feed.follow(id, from, { live }).pipe(
      Stream.filter((event) => event.turn === turn),
      Stream.takeUntil(({ message }) => isEnd(message)),
      Stream.map(streamed),
      Stream.mapError((cause) => new Unavailable({ operation: "read the turn's events", cause }))
    )
  })
})

/** The number behind which they begin. */
const before = ([first]: ReadonlyArray<{ readonly seq: number }>) => (first === undefined ? 0 : first.seq - 1)

const isEnd = (message: AcpMessage): boolean =>
  "method" in message && message.method === "_troupe/turn" && message.params["phase"] === "ended"
