/**
 * A turn that was accepted, for whoever submitted it. Its events, its result and its interruption are made when they are asked
 * for: most turns are only waited for. They are getters of a class, as one in an object literal would have all of the turn kept until the
 * next full collection (decision 0065).
 */
import { Effect } from "effect"
import type { Stream } from "effect"
import type { StreamedEvent } from "../domain/events/StreamedMessage.ts"
import type { SessionId } from "../domain/Ids.ts"
import type { SessionRecord } from "../domain/Session.ts"
import { Unavailable } from "../domain/Refusal.ts"
import type { TurnNotFound } from "../domain/Refusal.ts"
import type { TurnResult } from "../domain/Turn.ts"
import type { LedgerError } from "../ledger/Ledger.ts"
import { cannot } from "../runtime/errors.ts"
import type { ToldTurn } from "../runtime/Transcript.ts"
import type { Expectation } from "../supervision/expectEnds.ts"
import type { SessionFailed } from "../supervision/sessionMessages.ts"
import type { Turning } from "./Sessions.ts"

/** What is done with turns, which is the same for all of them. */
export interface TurnWork {
  /** `after`: the event that the turn's come behind; `null`: to be looked up. */
  readonly events: (session: SessionId, turn: number, after: number | null) => Stream.Stream<StreamedEvent, Unavailable>
  readonly result: (
    session: SessionId,
    turn: number,
    told: ToldTurn | null
  ) => Effect.Effect<TurnResult, LedgerError | TurnNotFound>
  readonly interrupt: (
    session: SessionRecord,
    by: string,
    turn: number
  ) => Effect.Effect<boolean, LedgerError | SessionFailed | Unavailable>
}

interface Accepted {
  readonly record: SessionRecord
  readonly index: number
  readonly isKnown: boolean
  readonly after: number
  readonly by: string
  readonly ended: ReturnType<Expectation["turn"]>
}

export class AcceptedTurn implements Turning {
  readonly session: SessionId
  readonly index: number
  readonly isKnown: boolean
  readonly #work: TurnWork
  readonly #accepted: Accepted

  constructor(work: TurnWork, accepted: Accepted) {
    this.session = accepted.record.id
    this.index = accepted.index
    this.isKnown = accepted.isKnown
    this.#work = work
    this.#accepted = accepted
  }

  get events(): Turning["events"] {
    return this.#work.events(this.session, this.index, this.isKnown ? null : this.#accepted.after)
  }

  get result(): Turning["result"] {
    const { index, session } = this
    return this.#accepted.ended.pipe(
      Effect.flatMap((told) => this.#work.result(session, index, told)),
      Effect.catchTag("TurnNotFound", (cause) => Effect.fail(new Unavailable({ operation: "find the turn", cause }))),
      cannot("read what came of the turn")
    )
  }

  get interrupt(): Turning["interrupt"] {
    const { by, index, record } = this.#accepted
    return cannot("interrupt the turn")(this.#work.interrupt(record, by, index))
  }
}
