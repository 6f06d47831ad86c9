/** The layer of `Sessions`: checks every request, sends it to the session's actor and awaits the answer. */
import { Clock, Effect, Layer, Option, Stream } from "effect"
import { longestQueue } from "../../machines/session/machine.ts"
import { Agents } from "../agent/Agents.ts"
import { SessionId } from "../domain/Ids.ts"
import {
  Draining,
  InvalidRequest,
  NotSupported,
  QueueFull,
  SessionClosed,
  SessionNotFound,
  SessionParked,
  TurnInProgress,
  Unavailable
} from "../domain/Refusal.ts"
import type { SessionRecord, SessionView } from "../domain/Session.ts"
import type { TurnResult } from "../domain/Turn.ts"
import { parseCursor } from "../ledger/Cursor.ts"
import { Ledger } from "../ledger/Ledger.ts"
import * as AnswerApproval from "./answerApproval.ts"
import { appFilter, findSession, nameOfCaller } from "../runtime/Caller.ts"
import type { Caller } from "../runtime/Caller.ts"
import * as CreateSession from "./createSession.ts"
import { cannot } from "../runtime/errors.ts"
import { EventFeed } from "../runtime/EventFeed.ts"
import { Files } from "./Files.ts"
import { CommandHandler } from "../session/CommandHandler.ts"
import type { EventRefused, Submission } from "../session/Envelope.ts"
import { DrainState } from "../runtime/DrainState.ts"
import { RuntimeSettings } from "../runtime/RuntimeSettings.ts"
import { Sessions } from "./Sessions.ts"
import type { SubmitTurn } from "./Sessions.ts"
import * as SteerTurn from "./steerTurn.ts"
import { Supervisor } from "../supervision/Supervisor.ts"
import * as Transcript from "../runtime/Transcript.ts"
import { sessionView } from "./sessionView.ts"

/** All deadlines of an interrupt and of a retirement after it, one after the other, take no longer. */
const endWithin = "40 seconds"
/** Lines of the audit trail in one answer. */
const auditLines = 10_000

export const layer = Layer.effect(
  Sessions,
  Effect.gen(function* () {
    const agents = yield* Agents
    const approvals = yield* AnswerApproval.make
    const createSession = yield* CreateSession.make
    const feed = yield* EventFeed
    const files = yield* Files
    const commandHandler = yield* CommandHandler
    const ledger = yield* Ledger
    const drainState = yield* DrainState
    const { limits } = yield* RuntimeSettings
    const steerTurn = yield* SteerTurn.make
    const supervisor = yield* Supervisor
    const transcript = yield* Transcript.make

    const find = (caller: Caller, id: string) => findSession(ledger, caller, id)

    const view = (record: SessionRecord) => sessionView(ledger, record, commandHandler.pid(record.id))

    const refused = Effect.fnUntraced(function* (record: SessionRecord, refusal: EventRefused, queue: boolean) {
      const { closing, id, limit, parked: isParked, state, turn, waiting } = refusal
      if (closing) return yield* new SessionClosed({ id })
      if (queue && waiting >= longestQueue) return yield* new QueueFull({ id, waiting })
      if (!isParked && limit === null) return yield* new TurnInProgress({ id, turn })
      const { parked } = yield* view(record)
      const until = limit?.until ?? parked?.until ?? 0
      const left = until - (yield* Clock.currentTimeMillis)
      const retryAfterSeconds = Math.max(1, Math.ceil(left / 1000))
      const reason = limit?.reason ?? parked?.reason ?? state
      return yield* new SessionParked({ id, reason, until, retryAfterSeconds, quota: limit !== null })
    })

    const openFor = Effect.fnUntraced(function* (caller: Caller, id: string) {
      const record = yield* find(caller, id)
      if (record.closedAt !== null) return yield* new SessionClosed({ id: record.id })
      if (drainState.draining()) return yield* new Draining({})
      return record
    })

    /** Interrupts the turn given, or the one that runs. */
    const stop = Effect.fnUntraced(function* ({ id }: SessionRecord, by: string, turn?: number) {
      const target = turn ?? supervisor.view(id)?.snapshot.context.turn
      const which = turn === undefined ? {} : { turn }
      const event = { type: "interrupt.requested", reason: `interrupted by ${by}`, ...which } as const
      const sent = yield* Effect.option(
        supervisor.send(id, { event, by }).pipe(Effect.catchTag("ActorFailed", (cause) => Effect.die(cause)))
      )
      if (Option.isNone(sent)) return false
      // Its commands are dead when its outcome is stored, and only then is it interrupted.
      if (target !== undefined) yield* Effect.timeoutOption(supervisor.turnSettled(id, target), endWithin)
      return true
    })

    const begin = Effect.fnUntraced(function* (record: SessionRecord, submission: Submission, by: string) {
      const { after, turn: index } = yield* supervisor
        .send(record.id, { event: submission, by })
        .pipe(Effect.catchTag("EventRefused", (refusal) => refused(record, refusal, submission.queue)))

      const result: Effect.Effect<TurnResult, Unavailable> = Effect.gen(function* () {
        yield* supervisor.turnSettled(record.id, index)
        return yield* transcript.result(record.id, index)
      }).pipe(
        Effect.catchTag("TurnNotFound", (cause) => Effect.fail(new Unavailable({ operation: "find the turn", cause }))),
        cannot("read what came of the turn")
      )
      const events = feed.follow(record.id, after, { live: true }).pipe(
        Stream.filter((event) => event.turn === index),
        Stream.takeUntil(({ message }) => !("method" in message)),
        Stream.mapError((cause) => new Unavailable({ operation: "read the turn's events", cause }))
      )
      const interrupt = cannot("interrupt the turn")(stop(record, by, index))
      return { session: record.id, index, events, result, interrupt }
    })

    const submit = Effect.fn("Sessions.submit")(function* (caller: Caller, id: string, turn: SubmitTurn) {
      const record = yield* openFor(caller, id)
      if (turn.prompt.trim() === "") {
        return yield* new InvalidRequest({ field: "prompt", problem: "must hold something to say." })
      }
      const { files: ids, queue = false, timeoutMillis = limits.turnTimeoutMillis } = turn
      const prompt = ids?.length ? yield* files.withFiles(record.app, turn.prompt, ids) : turn.prompt
      return yield* begin(record, { prompt, timeoutMillis, queue }, nameOfCaller(caller))
    }, cannot("take the turn"))

    const compact = Effect.fn("Sessions.compact")(
      function* (caller: Caller, id: string) {
        const record = yield* openFor(caller, id)
        const { capabilities } = yield* agents.driver(record.agent)
        if (!capabilities.compact) return yield* new NotSupported({ problem: incompressible(record.agent) })
        const submission = {
          kind: "compact",
          prompt: "",
          timeoutMillis: limits.turnTimeoutMillis,
          queue: false
        } as const
        return yield* begin(record, submission, nameOfCaller(caller))
      },
      Effect.catchTag("UnknownAgent", ({ detail: problem }) => new NotSupported({ problem })),
      cannot("compact the session")
    )

    const interrupt = Effect.fn("Sessions.interrupt")(function* (caller: Caller, id: string) {
      return yield* stop(yield* find(caller, id), nameOfCaller(caller))
    }, cannot("interrupt the turn"))

    const steer = Effect.fn("Sessions.steer")(function* (caller: Caller, id: string, text: string) {
      yield* steerTurn(yield* find(caller, id), text, nameOfCaller(caller))
    }, cannot("steer the turn"))

    const close = Effect.fn("Sessions.close")(function* (caller: Caller, id: string) {
      const record = yield* find(caller, id)
      if (record.closedAt !== null) return { alreadyClosed: true }
      const event = { type: "close.requested", reason: `closed by ${nameOfCaller(caller)}` } as const
      return yield* supervisor.send(record.id, { event, by: nameOfCaller(caller) }).pipe(
        Effect.tap(() => Effect.timeoutOption(supervisor.closed(record.id), endWithin)),
        Effect.as({ alreadyClosed: false }),
        Effect.catchTag("EventRefused", () => Effect.succeed({ alreadyClosed: true }))
      )
    }, cannot("close the session"))

    return Sessions.of({
      create: Effect.fn("Sessions.create")(function* (app, request) {
        return yield* view(yield* createSession(app, request))
      }, cannot("create the session")),
      get: Effect.fn("Sessions.get")(function* (caller, id) {
        return yield* view(yield* find(caller, id))
      }, cannot("read the session")),
      list: Effect.fn("Sessions.list")(function* (caller, query) {
        if (query.cursor !== null && Option.isNone(parseCursor(query.cursor))) {
          return yield* new InvalidRequest({ field: "cursor", problem: "must be a next_cursor of an earlier page." })
        }
        const page = yield* ledger.sessions({ app: appFilter(caller), ...query })
        const items: ReadonlyArray<SessionView> = yield* Effect.forEach(page.items, view)
        return { items, count: page.count, next: page.next }
      }, cannot("list the sessions")),
      submit,
      turns: Effect.fn("Sessions.turns")(function* (caller, id, { after, limit }) {
        const record = yield* find(caller, id)
        const rows = yield* ledger.turns(record.id, after, limit)
        return yield* Effect.forEach(rows, transcript.resultOfTurn)
      }, cannot("read the turns")),
      turn: Effect.fn("Sessions.turn")(function* (caller, id, index) {
        const record = yield* find(caller, id)
        return yield* transcript.result(record.id, index)
      }, cannot("read the turn")),
      messages: Effect.fn("Sessions.messages")(function* (caller, id, query) {
        return yield* transcript.messages(yield* find(caller, id), query)
      }, cannot("read the messages")),
      steer,
      compact,
      interrupt,
      close,
      approvals: Effect.fn("Sessions.approvals")(function* (caller, id) {
        return yield* approvals.pending(yield* find(caller, id))
      }, cannot("read the approvals")),
      answer: Effect.fn("Sessions.answer")(function* (caller, id, approval, decision) {
        return yield* approvals.answer(yield* find(caller, id), approval, decision, nameOfCaller(caller))
      }, cannot("settle the approval")),
      events: Effect.fn("Sessions.events")(function* (caller, id, after) {
        const record = yield* find(caller, id)
        return feed
          .follow(record.id, after, { live: record.closedAt === null })
          .pipe(Stream.mapError((cause) => new Unavailable({ operation: "read the session's events", cause })))
      }, cannot("read the session's events")),
      audit: Effect.fn("Sessions.audit")(function* (id) {
        const lines = yield* ledger.audit(SessionId.make(id), auditLines)
        if (lines.length === 0) return yield* new SessionNotFound({ id })
        return lines
      }, cannot("read the audit trail")),
      unpark: Effect.fn("Sessions.unpark")(function* (id) {
        const record = yield* find({ _tag: "Admin" }, id)
        return yield* supervisor.send(record.id, { event: { type: "unpark.requested" }, by: "admin" }).pipe(
          Effect.as(true),
          Effect.catchTag("EventRefused", () => Effect.succeed(false))
        )
      }, cannot("unpark the session"))
    })
  })
)

const incompressible = (agent: string) =>
  `${agent} can't be asked to compact its context; GET /agents tells which agents can. It does so by itself, if at all.`
