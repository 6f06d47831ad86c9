/**
 * A session's events as a stream of the SDK. An event's id says where it stands in the ledger, so that a reader that comes back
 * (`after`, or `Last-Event-ID`) gets the rest, also after a restart, and every reader the same.
 */
import type { SessionBackend, SessionInfo } from "../../backend/Backend.ts"
import { objectIn } from "../../domain/json.ts"
import type { Endings } from "../../http/Streams.ts"
import { eventResponse } from "../eventResponse.ts"
import { errorBody, invalid, isRefusal } from "../responses/errors.ts"
import { untilAborted } from "../untilAborted.ts"
import { worded } from "./errors.ts"
import { foldSession } from "./foldSession.ts"
import type { StatusChange } from "./foldSession.ts"
import { errorEventId, eventId, positionIn } from "./ids.ts"
import type { Position } from "./ids.ts"
import type { Told } from "./operation.ts"
import { actionOf, askedOf } from "./requiredActions.ts"
import type { AgentSessionEvent, UnnamedEvent } from "./sdk.ts"
import { sessionOf, statusOf } from "./shapes.ts"
import { earliestOpenTurn, firstSeq } from "./openTurn.ts"

interface Reading {
  readonly session: SessionBackend
  readonly view: SessionInfo
  /** The stored event behind which it begins: early enough to know what the turns that were open have said. */
  readonly from: number
  /** The last event that its reader has. */
  readonly shown: Position
  /** What its reader is told before. */
  readonly first: ReadonlyArray<AgentSessionEvent>
  /** What was sent of it. */
  readonly told: Told
  /** It ends with the session's next rest after this turn. `null`: it goes on while the session is there. */
  readonly lastTurn: number | null
}

async function* eventsOf(reading: Reading, signal: AbortSignal): AsyncGenerator<AgentSessionEvent> {
  const { first, from, lastTurn, session, shown, view } = reading
  const fold = foldSession(view.id, view.agent)
  let hasEnded = false

  const whole = async (event: UnnamedEvent | StatusChange, position: Position): Promise<AgentSessionEvent> => {
    const event_id = eventId(view.id, position)
    if (event.type !== "status") return { ...event, event_id } as AgentSessionEvent
    return statusEvent(await session.view(), event, event_id)
  }

  yield* first
  try {
    for await (const event of untilAborted(session.events(from, true), signal)) {
      const { seq, turn: index } = event
      const turn = Math.min(fold.earliestOpen() ?? Infinity, index ?? Infinity)
      for (const [place, made] of fold.take(event).entries()) {
        const nth = place + 1
        const isKnown = seq < shown.seq || (seq === shown.seq && nth <= shown.nth)
        if (!isKnown) yield await whole(made, { turn, seq, nth })
        if (lastTurn === null) continue
        if (isEndOf(made) && index === lastTurn) hasEnded = true
        if (hasEnded && made.type === "status" && made.status === "idle") return
      }
    }
  } catch (error) {
    if (!isRefusal(error)) throw error
    yield errorEvent(reading.told, errorBody(worded(error)))
  }
}

const isEndOf = ({ type }: UnnamedEvent | StatusChange): boolean =>
  type === "agent.session.turn.completed" ||
  type === "agent.session.turn.failed" ||
  type === "agent.session.turn.cancelled"

const statusEvent = (view: SessionInfo, change: StatusChange, event_id: string): AgentSessionEvent => ({
  type: `agent.session.${change.status}`,
  event_id,
  session: sessionOf(view, change.actions, change.status)
})

/** Behind all that any stored event becomes. */
const lastPlace = 999_999_999

/** From the session's beginning to its first rest: what `sessions.create` answers with `stream: true`. */
export const streamCreation = (session: SessionBackend, view: SessionInfo, told: Told): Response => {
  const shown: Position = { turn: 0, seq: 0, nth: 0 }
  const created: AgentSessionEvent = {
    type: "agent.session.created",
    event_id: eventId(view.id, shown),
    session: sessionOf(view, [], "idle")
  }
  return respond({ session, view, told, from: 0, shown, first: [created], lastTurn: 1 })
}

/** What comes from now on, with what the session is now at first. Its place is fixed before the reader gets an answer. */
export const streamLive = async (session: SessionBackend, view: SessionInfo, told: Told): Promise<Response> => {
  const before = await lastSeq(session)
  const open = await earliestOpenTurn(session, await session.view())
  const from = open === null ? before : (await firstSeq(session, open)) - 1
  const seq = await lastSeq(session)
  const [now, approvals] = await Promise.all([session.view(), session.approvals()])
  const actions = approvals.map((approval) => actionOf(view.id, askedOf(approval)))
  const status = statusOf(now.state === "turning" || open !== null, actions)
  const shown: Position = { turn: open ?? now.turnCount, seq, nth: lastPlace }
  const first = [statusEvent(now, { type: "status", status, actions }, eventId(view.id, shown))]
  return respond({ session, view, told, from, shown, first, lastTurn: null })
}

/** `after`: the id of the last event that the reader has. */
export const streamAfter = async (
  session: SessionBackend,
  view: SessionInfo,
  told: Told,
  after: string
): Promise<Response> => {
  const shown = positionIn(after, view.id)
  if (shown === null || shown.turn > view.turnCount || shown.seq > (await lastSeq(session))) {
    throw invalid("after", "must be the event_id of an event of this session.")
  }
  const from = shown.turn === 0 ? 0 : (await firstSeq(session, shown.turn)) - 1
  return respond({ session, view, told, from: Math.min(from, shown.seq), shown, first: [], lastTurn: null })
}

const lastSeq = async (session: SessionBackend): Promise<number> => {
  let last = 0
  for await (const { seq } of session.events(-1, false)) last = seq
  return last
}

const respond = (reading: Reading): Response =>
  eventResponse(async function* (signal) {
    const { shown, told, view } = reading
    told.session = view.id
    told.event = eventId(view.id, shown)
    for await (const event of eventsOf(reading, signal)) {
      told.event = event.event_id
      yield textOf(event)
    }
  })

const textOf = (event: AgentSessionEvent): string =>
  `id: ${event.event_id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`

const errorEvent = (
  { event, session }: Told,
  { code, message, param }: { readonly code: string; readonly message: string; readonly param: string | null }
): AgentSessionEvent => ({
  type: "error",
  event_id: errorEventId(event),
  session_id: session,
  error: { code, message, param, type: "server_error" }
})

/** Where the token was revoked meanwhile. A server that stops ends its streams, and their readers come back. */
export const endingsOf = (told: Told): Endings => ({
  failed: (json) => {
    const { detail, error } = objectIn(JSON.parse(json))
    return textOf(errorEvent(told, { code: String(error), message: String(detail), param: null }))
  },
  closing: ""
})
