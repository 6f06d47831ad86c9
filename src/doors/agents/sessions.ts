/** What can be done with agents and sessions, each as a few calls of the library's `Backend`. */
import type { Backend, SessionBackend, SessionInfo, Submitted } from "../../backend/Backend.ts"
import { objectIn } from "../../domain/json.ts"
import type { CreateSession } from "../../domain/Session.ts"
import { cursorAfter } from "../../services/sessionCursor.ts"
import { Refused } from "../responses/errors.ts"
import { fingerprintOf } from "../fingerprint.ts"
import { nullOfMissing } from "../nullOfMissing.ts"
import { noSuchAgent, noSuchSession, whereRefused } from "./errors.ts"
import type { Call } from "./operation.ts"
import { metaOf, openedOf } from "./opened.ts"
import { readOpening, readUpdate } from "./opening.ts"
import type { Opening } from "./opening.ts"
import { choose, page, readPage, wrongAfter } from "./pages.ts"
import type { PageRequest } from "./pages.ts"
import { actionOf, askedOf } from "./requiredActions.ts"
import type { AgentSession, AgentSessionDeleted } from "./sdk.ts"
import { agentOf, sessionOf, statusOf } from "./shapes.ts"
import { earliestOpenTurn } from "./openTurn.ts"
import { streamCreation } from "./stream.ts"

export interface Found {
  readonly session: SessionBackend
  readonly view: SessionInfo
}

/** It is this app's, and was not deleted. */
export const find = async (backend: Backend, id: string): Promise<Found> => {
  const session = backend.session(id)
  const view = await whereRefused(session.view(), { session_not_found: () => noSuchSession(id) })
  if (view.state === "closed") throw noSuchSession(id)
  return { session, view }
}

const whole = async (session: SessionBackend, view: SessionInfo): Promise<AgentSession> => {
  const isTurning = view.state === "turning"
  // Only a turn that runs can wait for somebody.
  const approvals = isTurning ? await session.approvals() : []
  const actions = approvals.map((approval) => actionOf(view.id, askedOf(approval)))
  return sessionOf(view, actions, statusOf(isTurning || (await hasWaiting(session, view)), actions))
}

/** A session that is left alone for now may have turns in line. */
const hasWaiting = async (session: SessionBackend, view: SessionInfo): Promise<boolean> =>
  view.parked !== null && (await earliestOpenTurn(session, view)) !== null

export const create = async ({ backend, body, key, told }: Call): Promise<Response> => {
  const given = await body()
  const opening = readOpening(given)
  const { id } = await whereRefused(backend.create(requestOf(opening), key), {
    unknown_agent: () => noSuchAgent(opening.agent ?? "")
  })
  // Under a key it may be one that was deleted since.
  const { session } = await find(backend, id)
  if (opening.input !== null) {
    // How the answer is sent makes no other request of it.
    const fingerprint = fingerprintOf({ ...objectIn(given), stream: undefined })
    await submitFirst(session, opening, key, fingerprint).catch(async (error: unknown) => {
      // Under a key the request may come again, and finds it.
      if (key === undefined) await session.close().catch(() => {})
      throw error
    })
  }
  const view = await session.view()
  return opening.isStream ? streamCreation(session, view, told) : Response.json(await whole(session, view))
}

const requestOf = (opening: Opening): CreateSession => {
  const { agent, cwd, effort, instructions, mcpServers, metadata, model, permissions, schema } = opening
  return {
    ...(agent === null ? {} : { agent }),
    ...(model === null ? {} : { model }),
    ...(effort === null ? {} : { effort }),
    ...(cwd === null ? {} : { cwd }),
    ...(permissions === undefined ? {} : { permissions }),
    ...(instructions === null ? {} : { systemPrompt: instructions }),
    ...(mcpServers.length === 0 ? {} : { mcpServers }),
    meta: metaOf({ metadata, schema, environment: cwd === null ? "none" : "self_hosted" })
  }
}

const submitFirst = (
  session: SessionBackend,
  { input, schema }: Opening,
  key: string | undefined,
  fingerprint: string
): Promise<Submitted> =>
  session.submit({
    prompt: input!,
    ...(schema === null ? {} : { outputSchema: schema }),
    ...(key === undefined ? {} : { idempotencyKey: key, fingerprint })
  })

export const retrieve = async ({ backend, params: { session_id = "" } }: Call): Promise<Response> => {
  const { session, view } = await find(backend, session_id)
  return Response.json(await whole(session, view))
}

export const update = async ({ backend, body, params: { session_id = "" } }: Call): Promise<Response> => {
  const { session, view } = await find(backend, session_id)
  const settings = readUpdate((await body()) ?? {}, openedOf(view).metadata)
  const changed = Object.keys(settings).length === 0 ? view : await session.change(settings)
  return Response.json(await whole(session, changed))
}

/** As the SDK says, what runs must be cancelled first. */
export const remove = async ({ backend, params: { session_id = "" } }: Call): Promise<Response> => {
  const { session, view } = await find(backend, session_id)
  if (view.state === "turning" || (await hasWaiting(session, view))) {
    throw new Refused(
      409,
      "turn_in_progress",
      "A turn is in progress. Cancel it first, with an event agent.session.input.cancel.",
      "session_id"
    )
  }
  await session.close()
  const deleted: AgentSessionDeleted = { id: view.id, object: "agent.session.deleted", deleted: true }
  return Response.json(deleted)
}

/** Of a request that filters them, or begins with the oldest: all are read, as many as an app should have. */
const maxScanned = 5_000
const scannedAtOnce = 200

export const list = async ({ backend, query }: Call): Promise<Response> => {
  const asked = readPage(query, /^agent_id$/, /^metadata\[[^\]]{1,64}\]$/)
  const matches = filterIn(query)
  if (matches === null && asked.order === "desc") return listNewest(backend, asked)
  const found = (await scan(backend)).filter((view) => matches === null || matches(view))
  const { hasMore, shown } = choose(found.toReversed(), asked)
  return page(await wholes(backend, shown), hasMore)
}

const wholes = (backend: Backend, views: ReadonlyArray<SessionInfo>): Promise<ReadonlyArray<AgentSession>> =>
  Promise.all(views.map((view) => whole(backend.session(view.id), view)))

const listNewest = async (backend: Backend, { after, limit }: PageRequest): Promise<Response> => {
  // Also of one that was deleted meanwhile.
  const last = after === null ? null : await backend.session(after).view().catch(nullOfMissing)
  if (after !== null && last === null) throw wrongAfter(after)
  const cursor = last === null ? null : cursorAfter(last)
  const { items, next } = await backend.list({ limit, cursor, state: "open" })
  return page(await wholes(backend, items), next !== null)
}

/** `null`: every session. */
const filterIn = (query: URLSearchParams): ((view: SessionInfo) => boolean) | null => {
  const agent = query.get("agent_id")
  const pairs = [...query].flatMap(([name, value]) => {
    const [, key] = /^metadata\[(.+)\]$/.exec(name) ?? []
    return key === undefined ? [] : [[key, value] as const]
  })
  if (agent === null && pairs.length === 0) return null
  return (view) => {
    const { metadata } = openedOf(view)
    return (agent === null || view.agent === agent) && pairs.every(([key, value]) => metadata[key] === value)
  }
}

const scan = async (backend: Backend): Promise<ReadonlyArray<SessionInfo>> => {
  const all: Array<SessionInfo> = []
  let cursor: string | null = null
  do {
    const found: Awaited<ReturnType<Backend["list"]>> = await backend.list({
      limit: scannedAtOnce,
      cursor,
      state: "open"
    })
    all.push(...found.items)
    cursor = found.next
  } while (cursor !== null && all.length < maxScanned)
  if (cursor === null) return all
  throw new Refused(
    422,
    "too_many_sessions",
    `There are more than ${maxScanned} open sessions: list them with order desc and without a filter, or delete some.`
  )
}

export const agents = async ({ backend, query }: Call): Promise<Response> => {
  const asked = readPage(query)
  const available = (await backend.agents()).filter(({ available }) => available)
  const { hasMore, shown } = choose(
    available.map(({ name }) => agentOf(name)),
    asked
  )
  return page(shown, hasMore)
}

/** As for `/v1/models`: also with a model of its own. */
export const agent = async ({ backend, params: { name: id = "" } }: Call): Promise<Response> => {
  const [name] = id.split("/", 1)
  const isKnown = (await backend.agents()).some((one) => one.available && one.name === name)
  if (!isKnown) throw noSuchAgent(id)
  return Response.json(agentOf(id))
}
