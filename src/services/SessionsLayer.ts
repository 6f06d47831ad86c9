/** The layer of `Sessions`: checks every request, sends it to the session's actor and awaits the answer. */
import { Effect, Layer, Option, Stream } from "effect"
import { streamed } from "../domain/events/StreamedMessage.ts"
import { Moves } from "../cluster/Moves.ts"
import { SessionId } from "../domain/Ids.ts"
import {
  InvalidRequest,
  NotSupported,
  SessionClosed,
  SessionNotFound,
  TurnInProgress,
  Unavailable
} from "../domain/Refusal.ts"
import { parseCursor } from "../ledger/Cursor.ts"
import { Ledger } from "../ledger/Ledger.ts"
import { appFilter, findSession, nameOfCaller } from "../runtime/Caller.ts"
import type { Caller } from "../runtime/Caller.ts"
import { cannot } from "../runtime/errors.ts"
import { EventFeed } from "../runtime/EventFeed.ts"
import { News } from "../runtime/News.ts"
import * as Transcript from "../runtime/Transcript.ts"
import { SessionHost } from "../supervision/SessionHost.ts"
import * as AcceptTurn from "./acceptTurn.ts"
import * as AnswerApproval from "./answerApproval.ts"
import * as ChangeSettings from "./changeSettings.ts"
import * as CloseSession from "./closeSession.ts"
import * as CreateSession from "./createSession.ts"
import * as ForkSession from "./forkSession.ts"
import { namedSession } from "./namedSession.ts"
import { Sessions } from "./Sessions.ts"
import * as ViewSessions from "./sessionView.ts"
import * as ResendTurn from "./resendTurn.ts"
import * as SteerTurn from "./steerTurn.ts"
import * as TurnEvents from "./turnEvents.ts"

/** Lines of the audit trail in one answer. */
const auditLines = 10_000

export const layer = Layer.effect(
  Sessions,
  Effect.gen(function* () {
    const acceptTurn = yield* AcceptTurn.make
    const approvals = yield* AnswerApproval.make
    const createSession = yield* CreateSession.make
    const forkSession = yield* ForkSession.make
    const feed = yield* EventFeed
    const changeSettings = yield* ChangeSettings.make
    const closeSession = yield* CloseSession.make
    const host = yield* SessionHost
    const ledger = yield* Ledger
    const moves = yield* Moves
    const news = yield* News
    const steerTurn = yield* SteerTurn.make
    const resend = yield* ResendTurn.make(acceptTurn)
    const transcript = yield* Transcript.make
    const turnEvents = yield* TurnEvents.make

    const find = (caller: Caller, id: string) => findSession(ledger, caller, id)

    /** For reads of turns: what the agent of a running one has said is stored first. */
    const findToRead = (caller: Caller, id: string) =>
      Effect.tap(find(caller, id), (record) => (record.state === "turning" ? news.look(record.id) : Effect.void))

    const { view, views } = yield* ViewSessions.make

    const interrupt = Effect.fn("Sessions.interrupt")(function* (caller: Caller, id: string, turn?: number) {
      return yield* acceptTurn.interrupt(yield* find(caller, id), nameOfCaller(caller), turn)
    }, cannot("interrupt the turn"))

    const steer = Effect.fn("Sessions.steer")(function* (caller: Caller, id: string, text: string) {
      yield* steerTurn(yield* find(caller, id), text, nameOfCaller(caller))
    }, cannot("steer the turn"))

    const close = Effect.fn("Sessions.close")(function* (caller: Caller, id: string, afterTurn = false) {
      const record = yield* find(caller, id)
      if (record.closedAt !== null) return { alreadyClosed: true }
      const by = nameOfCaller(caller)
      const request = {
        session: record.id,
        by,
        reason: `closed by ${by}${afterTurn ? " after its turn" : ""}`,
        afterTurn
      }
      const { closed, isTaken } = yield* closeSession(request)
      yield* Effect.timeoutOption(closed, AcceptTurn.endWithin)
      return { alreadyClosed: !isTaken }
    }, cannot("close the session"))

    const storedEvents = Effect.fn("Sessions.events")(function* (
      caller: Caller,
      id: string,
      after: number,
      follow: boolean = true
    ) {
      const record = yield* find(caller, id)
      const from = after < 0 ? Math.max(0, (yield* ledger.lastEvent(record.id)) + after) : after
      return feed
        .follow(record.id, from, { live: follow && record.closedAt === null })
        .pipe(Stream.mapError((cause) => new Unavailable({ operation: "read the session's events", cause })))
    }, cannot("read the session's events"))

    return Sessions.of({
      create: Effect.fn("Sessions.create")(function* (app, session, request, by) {
        return yield* view(
          yield* createSession(app, session, request, by === undefined ? {} : { by: nameOfCaller(by) })
        )
      }, cannot("create the session")),
      named: Effect.fn("Sessions.named")(function* (app, name, session, by) {
        return yield* view(
          yield* createSession(app, session, undefined, { by: nameOfCaller(by), id: namedSession(app, by, name) })
        )
      }, cannot("create the session")),
      fork: Effect.fn("Sessions.fork")(function* (caller, id, request, keyed) {
        return yield* view(yield* forkSession(yield* find(caller, id), request, nameOfCaller(caller), keyed))
      }, cannot("fork the session")),
      get: Effect.fn("Sessions.get")(function* (caller, id) {
        return yield* view(yield* find(caller, id))
      }, cannot("read the session")),
      change: Effect.fn("Sessions.change")(function* (caller, id, settings) {
        yield* changeSettings(yield* find(caller, id), settings, nameOfCaller(caller))
        return yield* view(yield* find(caller, id))
      }, cannot("change the session's settings")),
      list: Effect.fn("Sessions.list")(function* (caller, query) {
        if (query.cursor !== null && Option.isNone(parseCursor(query.cursor))) {
          return yield* new InvalidRequest({ field: "cursor", problem: "must be a next_cursor of an earlier page." })
        }
        const page = yield* ledger.sessions({ app: appFilter(caller), ...query })
        const items = yield* views(page.items)
        return { items, count: page.count, next: page.next }
      }, cannot("list the sessions")),
      submit: acceptTurn.submit,
      submitted: acceptTurn.submitted,
      turns: Effect.fn("Sessions.turns")(function* (caller, id, { after, limit }) {
        const record = yield* findToRead(caller, id)
        const rows = yield* ledger.turns(record.id, after, limit)
        return yield* Effect.forEach(rows, (turn) => transcript.resultOfTurn(turn))
      }, cannot("read the turns")),
      turn: Effect.fn("Sessions.turn")(function* (caller, id, index) {
        const record = yield* findToRead(caller, id)
        return yield* transcript.result(record.id, index)
      }, cannot("read the turn")),
      messages: Effect.fn("Sessions.messages")(function* (caller, id, query) {
        return yield* transcript.messages(yield* findToRead(caller, id), query)
      }, cannot("read the messages")),
      steer,
      resend,
      compact: acceptTurn.compact,
      interrupt,
      close,
      approvals: Effect.fn("Sessions.approvals")(function* (caller, id) {
        return yield* approvals.pending(yield* find(caller, id))
      }, cannot("read the approvals")),
      answer: Effect.fn("Sessions.answer")(function* (caller, id, approval, decision, answers) {
        return yield* approvals.answer(yield* find(caller, id), approval, decision, answers, caller)
      }, cannot("settle the approval")),
      events: (caller, id, after, follow) =>
        Effect.map(storedEvents(caller, id, after, follow), (events) => Stream.map(events, streamed)),
      storedEvents,
      turnEvents: Effect.fn("Sessions.turnEvents")(function* (caller, id, turn, after, follow) {
        return yield* turnEvents(yield* findToRead(caller, id), turn, after, follow)
      }, cannot("read the turn's events")),
      audit: Effect.fn("Sessions.audit")(function* (id) {
        const lines = yield* ledger.audit(SessionId.make(id), auditLines)
        if (lines.length === 0) return yield* new SessionNotFound({ id })
        return lines
      }, cannot("read the audit trail")),
      move: Effect.fn("Sessions.move")(function* (id, to) {
        const record = yield* find({ _tag: "Admin" }, id)
        if (record.closedAt !== null) return yield* new SessionClosed({ id: record.id })
        const moved = yield* moves.move(record.id, "admin", to)
        switch (moved._tag) {
          case "Moved":
          case "WasThere":
            return { node: moved.node, moved: moved._tag === "Moved" }
          case "AtWork":
            return yield* new TurnInProgress({ id: record.id, turn: moved.turn })
          case "Closed":
            return yield* new SessionClosed({ id: record.id })
          case "NoSuchNode":
            return yield* new InvalidRequest({ field: "node", problem: `can't have the session. ${moved.problem}` })
          case "Alone":
            return yield* new NotSupported({
              problem: "This Troupe is alone: a session has another node to move to with troupe serve --cluster."
            })
        }
      }, cannot("move the session")),
      unpark: Effect.fn("Sessions.unpark")(function* (id) {
        const record = yield* find({ _tag: "Admin" }, id)
        const { isTaken } = yield* host.unpark({ session: record.id, by: "admin" })
        return isTaken
      }, cannot("unpark the session"))
    })
  })
)
