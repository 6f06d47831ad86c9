/** A session's turns and their items, as pages. */
import type { SessionBackend, SessionInfo } from "../../backend/Backend.ts"
import { objectIn } from "../../domain/json.ts"
import { noSuchTurn } from "./errors.ts"
import { foldTurn } from "./foldTurn.ts"
import { itemIn, turnIn } from "./ids.ts"
import type { Call } from "./operation.ts"
import { page, readPage, wrongAfter } from "./pages.ts"
import type { PageRequest } from "./pages.ts"
import type { AgentSessionItem, Turn } from "./sdk.ts"
import { find } from "./sessions.ts"
import { storedTurnOf } from "./shapes.ts"

export const retrieve = async ({ backend, params }: Call): Promise<Response> => {
  const { session, turn, view } = await findTurn(backend, params)
  return Response.json(await turnAt(session, view, turn))
}

const findTurn = async (backend: Call["backend"], { session_id = "", turn_id = "" }: Call["params"]) => {
  const found = await find(backend, session_id)
  const turn = turnIn(turn_id, found.view.id)
  if (turn === null || turn > found.view.turnCount) throw noSuchTurn(turn_id)
  return { ...found, turn }
}

const turnAt = async (session: SessionBackend, view: SessionInfo, index: number): Promise<Turn> => {
  const turn = await session.turn(index)
  const isRunning = turn.status === "running"
  const approvals = isRunning ? await session.approvals() : []
  const isWaiting = approvals.some((approval) => approval.turn === index)
  const startedAt = turn.status === "queued" ? null : await startOf(session, index)
  return storedTurnOf(turn, view.agent, { isWaiting, startedAt })
}

/** When its agent began with it; `null`: it ended before. Right behind its submission, or behind its time in line. */
const startOf = async (session: SessionBackend, turn: number): Promise<number | null> => {
  for await (const { at, message } of session.turnEvents(turn, undefined, false)) {
    if (message.method !== "_troupe/turn") continue
    const { phase } = objectIn(message.params)
    if (phase === "started") return at
    if (phase === "ended") return null
  }
  return null
}

export const list = async ({ backend, params: { session_id = "" }, query }: Call): Promise<Response> => {
  const { session, view } = await find(backend, session_id)
  const { after, limit, order } = readPage(query)
  const last = after === null ? null : turnIn(after, view.id)
  if (after !== null && (last === null || last > view.turnCount)) throw wrongAfter(after)
  const indices = turnsFrom(view, last, order)
  const shown = await Promise.all(indices.slice(0, limit).map((index) => turnAt(session, view, index)))
  return page(shown, indices.length > limit)
}

/** The numbers of the turns behind one, in this order. */
const turnsFrom = ({ turnCount }: SessionInfo, last: number | null, order: PageRequest["order"]) => {
  const [first, step, count] =
    order === "asc"
      ? [(last ?? 0) + 1, 1, turnCount - (last ?? 0)]
      : [(last ?? turnCount + 1) - 1, -1, (last ?? turnCount + 1) - 1]
  // One more than the longest page shows whether another follows.
  return Array.from({ length: Math.min(Math.max(count, 0), longestPage + 1) }, (_, nth) => first + nth * step)
}

const longestPage = 100

export const items = async ({ backend, params: { session_id = "" }, query }: Call): Promise<Response> => {
  const { session, view } = await find(backend, session_id)
  const asked = readPage(query)
  const last = lastIn(asked, view)
  const turns = turnsFrom(
    view,
    last === null ? null : asked.order === "asc" ? last.turn - 1 : last.turn + 1,
    asked.order
  )
  const found: Array<AgentSessionItem> = []
  for (const turn of turns) {
    if (found.length > asked.limit) break
    found.push(...(await behind(session, view, turn, asked.order, last)))
  }
  return page(found.slice(0, asked.limit), found.length > asked.limit)
}

export const itemsOfTurn = async ({ backend, params, query }: Call): Promise<Response> => {
  const { session, turn, view } = await findTurn(backend, params)
  const asked = readPage(query)
  const last = lastIn(asked, view)
  if (last !== null && last.turn !== turn) throw wrongAfter(asked.after!)
  const found = await behind(session, view, turn, asked.order, last)
  return page(found.slice(0, asked.limit), found.length > asked.limit)
}

const lastIn = ({ after }: PageRequest, view: SessionInfo) => {
  if (after === null) return null
  const last = itemIn(after, view.id)
  if (last === null || last.turn > view.turnCount) throw wrongAfter(after)
  return last
}

/** The items of a turn in this order: of the turn of `last`, those behind it. */
const behind = async (
  session: SessionBackend,
  view: SessionInfo,
  turn: number,
  order: PageRequest["order"],
  last: { readonly turn: number; readonly nth: number } | null
): Promise<ReadonlyArray<AgentSessionItem>> => {
  const all = await itemsAt(session, view, turn)
  const nth = last?.turn === turn ? last.nth : null
  if (order === "asc") return nth === null ? all : all.slice(nth + 1)
  return (nth === null ? all : all.slice(0, nth)).toReversed()
}

/** Of one that still runs: what is stored by now. */
const itemsAt = async (
  session: SessionBackend,
  view: SessionInfo,
  turn: number
): Promise<ReadonlyArray<AgentSessionItem>> => {
  const fold = foldTurn({ session: view.id, turn }, view.agent)
  for await (const event of session.turnEvents(turn, undefined, false)) fold.take(event)
  return fold.items()
}
