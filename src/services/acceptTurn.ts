/** Accepts turns of a session and interrupts them. An accepted turn goes on whether or not its caller waits for it. */
import { Clock, Effect, Option, Stream } from "effect"
import { longestQueue } from "../../machines/session/machine.ts"
import { Agents } from "../agent/Agents.ts"
import {
  IdempotencyConflict,
  InvalidRequest,
  NotSupported,
  QueueFull,
  SessionClosed,
  SessionParked,
  TurnInProgress,
  Unavailable
} from "../domain/Refusal.ts"
import { streamed } from "../domain/events/StreamedMessage.ts"
import { isTurnMessage } from "../domain/events/troupeMessage.ts"
import type { SessionId } from "../domain/Ids.ts"
import type { SessionRecord } from "../domain/Session.ts"
import { Ledger } from "../ledger/Ledger.ts"
import { findSession, nameOfCaller } from "../runtime/Caller.ts"
import type { Caller } from "../runtime/Caller.ts"
import * as AdmitNewWork from "../runtime/admitNewWork.ts"
import { cannot } from "../runtime/errors.ts"
import { EventFeed } from "../runtime/EventFeed.ts"
import { RuntimeSettings } from "../runtime/RuntimeSettings.ts"
import { ThisNode } from "../runtime/ThisNode.ts"
import { spanned } from "../runtime/spanned.ts"
import * as Transcript from "../runtime/Transcript.ts"
import type { EventRefused, Submission, SubmissionName } from "../session/Envelope.ts"
import * as ExpectEnds from "../supervision/expectEnds.ts"
import { SessionHost } from "../supervision/SessionHost.ts"
import { AcceptedTurn } from "./AcceptedTurn.ts"
import type { TurnWork } from "./AcceptedTurn.ts"
import { checkPrompt } from "./checkPrompt.ts"
import { checkStorable } from "./checkStorable.ts"
import { checkTimeout } from "./checkTimeout.ts"
import { checkTurnSettings } from "./checkTurnSettings.ts"
import * as PromptContent from "./promptContent.ts"
import * as GiveContext from "./giveContext.ts"
import { requestOrigin } from "./requestOrigin.ts"
import { checkSubmission, named, unnamed } from "./submission.ts"
import type { SubmitTurn } from "./Sessions.ts"
import { parkedOf } from "./sessionView.ts"

/** All deadlines of an interrupt and of a retirement after it, one after the other, take no longer. */
export const endWithin = "40 seconds"

export const make = Effect.gen(function* () {
  const agents = yield* Agents
  const { isAlone } = yield* ThisNode
  // Several nodes lead it to one that takes it.
  const admitNewWork = isAlone ? yield* AdmitNewWork.make : yield* AdmitNewWork.makeElsewhere
  const expect = yield* ExpectEnds.make
  const feed = yield* EventFeed
  const contentOf = yield* PromptContent.make
  const giveContext = yield* GiveContext.make
  const host = yield* SessionHost
  const ledger = yield* Ledger
  const { limits } = yield* RuntimeSettings
  const transcript = yield* Transcript.make

  const refused = Effect.fnUntraced(function* (record: SessionRecord, refusal: EventRefused, queue: boolean) {
    const { closing, id, limit, parked: isParked, state, turn, waiting } = refusal
    if (closing) return yield* new SessionClosed({ id })
    if (queue && waiting >= longestQueue) return yield* new QueueFull({ id, waiting })
    if (!isParked && limit === null) return yield* new TurnInProgress({ id, turn })
    const parked = isParked ? yield* parkedOf(ledger, record) : null
    const until = limit?.until ?? parked?.until ?? 0
    const left = until - (yield* Clock.currentTimeMillis)
    const retryAfterSeconds = Math.max(1, Math.ceil(left / 1000))
    const reason = limit?.reason ?? parked?.reason ?? state
    return yield* new SessionParked({ id, reason, until, retryAfterSeconds, quota: limit !== null })
  })

  const admit = Effect.fnUntraced(function* (record: SessionRecord) {
    if (record.closedAt !== null) return yield* new SessionClosed({ id: record.id })
    yield* admitNewWork
  })

  /** Interrupts the turn given, or the one that runs. */
  const interrupt = Effect.fnUntraced(function* ({ id }: SessionRecord, by: string, turn?: number) {
    const expected = expect(id)
    const request = { session: id, by, reason: `interrupted by ${by}`, turn: turn ?? null }
    const interrupted = yield* Effect.onError(host.interrupt(request), () => expected.forget)
    const ended = expected.turn(interrupted.turn, interrupted.isOpen)
    // Its commands are dead when its outcome is stored, and only then is it interrupted.
    yield* Effect.timeoutOption(ended, endWithin)
    return interrupted.isTaken
  })

  const begin = Effect.fnUntraced(function* (record: SessionRecord, submission: Submission, by: string) {
    const expected = expect(record.id)
    const origin = yield* requestOrigin
    const turn = yield* host.submit({ session: record.id, by, turn: { ...submission, origin } }).pipe(
      Effect.onError(() => expected.forget),
      Effect.catchTag("EventRefused", (refusal) => refused(record, refusal, submission.queue))
    )
    const { after, isKnown, isOpen, turn: index } = turn
    return new AcceptedTurn(work, { record, index, isKnown, after, by, ended: expected.turn(index, isOpen) })
  })

  /** The turn of a submission that has come before, whatever has become of its session, its files or its agent since. */
  const known = Effect.fnUntraced(function* (record: SessionRecord, { fingerprint, id }: SubmissionName, by: string) {
    const expected = expect(record.id)
    const found = yield* Effect.onError(ledger.turnOfSubmission(record.id, id), () => expected.forget)
    if (Option.isNone(found) || found.value.fingerprint !== fingerprint) yield* expected.forget
    if (Option.isNone(found)) return null
    const { index, isOpen } = found.value
    if (found.value.fingerprint !== fingerprint) return yield* new IdempotencyConflict({ key: id })
    const ended = expected.turn(index, isOpen)
    return new AcceptedTurn(work, { record, index, isKnown: true, after: 0, by, ended })
  })

  const events: TurnWork["events"] = (id, turn, after) => {
    const from = after === null ? firstEvent(id, turn) : Effect.succeed(after)
    return Stream.unwrap(Effect.map(from, (seq) => feed.follow(id, seq, { live: true }))).pipe(
      Stream.filter((event) => event.turn === turn && !isTurnMessage(event.message)),
      Stream.takeUntil(({ message }) => !("method" in message)),
      Stream.map(streamed),
      Stream.mapError((cause) => new Unavailable({ operation: "read the turn's events", cause }))
    )
  }

  const firstEvent = (id: SessionId, turn: number) =>
    Effect.map(ledger.eventsOfTurn(id, turn), ([first]) => (first === undefined ? 0 : first.seq - 1))

  const work: TurnWork = { events, interrupt, result: (id, turn, told) => transcript.result(id, turn, told) }

  const submit = Effect.fnUntraced(
    function* (caller: Caller, id: string, turn: SubmitTurn) {
      const record = yield* findSession(ledger, caller, id, host.loaded)
      const by = nameOfCaller(caller)
      const { submission: name } = turn
      if (name !== undefined) {
        yield* checkSubmission(name)
        const before = yield* known(record, name, by)
        if (before !== null) return before
      }
      yield* admit(record)
      const {
        files: ids = [],
        messages,
        onlyFresh = false,
        prompt,
        queue = false,
        settings = {},
        timeoutMillis = limits.turnTimeoutMillis
      } = turn
      if (PromptContent.isBlank(prompt)) {
        return yield* new InvalidRequest({ field: "prompt", problem: "must hold something to say." })
      }
      yield* checkTimeout(turn.timeoutMillis)
      yield* checkStorable({ prompt, ...settings })
      yield* checkTurnSettings(agents, record, settings)
      const words = PromptContent.wordsOf(prompt)
      // A command of the agent; only for those the driver is looked up.
      if (words.trimStart().startsWith("/")) yield* checkPrompt(agents, record, "prompt", words)
      const context = messages === undefined ? null : yield* giveContext(record, words, messages, onlyFresh)
      const { content, text } = yield* contentOf(agents, record, prompt, ids)
      return yield* begin(
        record,
        {
          prompt: text,
          content,
          context,
          settings,
          timeoutMillis,
          queue,
          ...(name === undefined ? unnamed(isAlone) : named(name))
        },
        by
      )
    },
    Effect.catchTag("SubmissionConflict", ({ submission: key }) => Effect.fail(new IdempotencyConflict({ key }))),
    cannot("take the turn"),
    spanned("Sessions.submit")
  )

  const submitted = Effect.fn("Sessions.submitted")(function* (
    caller: Caller,
    id: string,
    name: NonNullable<SubmitTurn["submission"]>
  ) {
    const record = yield* findSession(ledger, caller, id)
    yield* checkSubmission(name)
    return yield* known(record, name, nameOfCaller(caller))
  }, cannot("find the turn"))

  const compact = Effect.fn("Sessions.compact")(
    function* (caller: Caller, id: string) {
      const record = yield* findSession(ledger, caller, id)
      yield* admit(record)
      const { capabilities } = yield* agents.driver(record.agent)
      if (!capabilities.compact) return yield* new NotSupported({ problem: incompressible(record.agent) })
      const submission = {
        kind: "compact",
        prompt: "",
        timeoutMillis: limits.turnTimeoutMillis,
        queue: false,
        ...unnamed(isAlone)
      } as const
      // Its name is new.
      return yield* begin(record, submission, nameOfCaller(caller)).pipe(
        Effect.catchTag("SubmissionConflict", Effect.die)
      )
    },
    Effect.catchTag("UnknownAgent", ({ detail: problem }) => new NotSupported({ problem })),
    cannot("compact the session")
  )

  return { admit, begin, compact, interrupt, known, submit, submitted } as const
})

const incompressible = (agent: string) =>
  `${agent} can't be asked to compact its context; GET /agents tells which agents can. It does so by itself, if at all.`
