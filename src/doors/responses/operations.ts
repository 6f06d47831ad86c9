/** What can be done with responses, each as a few calls of the library's `Backend`. */
import type { Backend, SessionBackend, SessionInfo, StoredTurn, Submitted } from "../../backend/Backend.ts"
import { TroupeError } from "../../backend/TroupeError.ts"
import type { CreateSession } from "../../domain/Session.ts"
import { promptOf, storeUploads } from "../prompt.ts"
import { answerAll, untilAsked } from "./approvals.ts"
import type { ApprovalAnswer } from "./approvals.ts"
import { invalid, noSuchResponse, Refused, unsupported } from "./errors.ts"
import { itemId, placeOf, responseId } from "./ids.ts"
import type { Place } from "./ids.ts"
import { fingerprintOf } from "../fingerprint.ts"
import type { Opening, ResponseRequest } from "./request.ts"
import { lateAnswer } from "./lateAnswer.ts"
import { metaOf, openedOf, readResponse } from "./response.ts"
import type { Opened } from "./response.ts"
import { streamResponse } from "./stream.ts"

/** `key`: the request's `Idempotency-Key`. */
export const create = async (
  backend: Backend,
  request: ResponseRequest,
  key: string | undefined
): Promise<Response> => {
  const { background, store, stream } = request
  if (request.answers !== null) return answer(backend, request, request.answers)
  // How the answer is sent makes no other request of it.
  const asked = { ...request, background: undefined, stream: undefined }
  const named = key === undefined ? undefined : { key, fingerprint: fingerprintOf(asked) }
  const { before, hasWishes, id, isNew } = await sessionFor(backend, request, named)
  const session = backend.session(id)
  const leave = () => (isNew && key === undefined ? session.close().catch(() => {}) : undefined)
  const { ended, index: turn } =
    before ??
    (await submit(backend, session, request, hasWishes, named).catch(async (error: unknown) => {
      await leave()
      throw error
    }))
  const place = { session: id, turn }
  // Whether or not anybody waits for it.
  const close = async () => void (await session.close())
  // Asked for at once, so that it closes as well where the server dies before the turn ends; waited for behind it.
  if (!store) await session.close(true)
  const over = store ? Promise.resolve() : ended().then(close, close)
  over.catch(() => {})
  const onEnd = () => over
  const view = await session.view()
  if (stream) return streamResponse({ session, view, place, startingAfter: -1, background, onEnd })
  const read = async () => readResponse(session, view, turn, background)
  if (background) return Response.json(await read())
  // Of what is not stored nobody could answer what it asks by the response's id.
  const whole = (store ? untilAsked(session, turn, ended) : ended()).then(async () => {
    const response = await read()
    await onEnd()
    return response
  })
  // A turn that never got a process is refused, and the request may be sent again; once the answer has begun, it has failed.
  return lateAnswer(whole, read)
}

/** The response that asks goes on, under its own id. */
const answer = async (
  backend: Backend,
  { background, previous, stream }: ResponseRequest,
  answers: ReadonlyArray<ApprovalAnswer>
): Promise<Response> => {
  if (previous === null)
    throw invalid("previous_response_id", "is missing: it is the response whose requests are answered.")
  const { place, session, view } = await find(backend, previous)
  await answerAll(session, place, answers)
  if (stream) {
    return streamResponse({ session, view, place, startingAfter: -1, background, onEnd: () => Promise.resolve() })
  }
  const read = () => readResponse(session, view, place.turn, background)
  if (background) return Response.json(await read())
  const over = () => Promise.resolve()
  return lateAnswer(untilAsked(session, place.turn, over).then(read), read)
}

/** An `Idempotency-Key`, and what it is compared by where it comes again: files that the request brings are stored anew each time. */
interface Named {
  readonly key: string
  readonly fingerprint: string
}

const submit = async (
  backend: Backend,
  session: SessionBackend,
  request: ResponseRequest,
  hasWishes: boolean,
  named: Named | undefined
) => {
  const { effort, input, model, outputSchema } = request
  const files = await storeUploads(backend, input)
  return session.submit({
    prompt: promptOf(input.prompt),
    ...(files.length === 0 ? {} : { files }),
    ...(input.history.length === 0 ? {} : { messages: input.history }),
    ...(hasWishes || model === null ? {} : { model }),
    ...(hasWishes || effort === null ? {} : { effort }),
    ...(outputSchema === null ? {} : { outputSchema }),
    ...(named === undefined ? {} : { idempotencyKey: named.key, fingerprint: named.fingerprint })
  })
}

interface Found {
  readonly id: string
  /** Opened for this response. */
  readonly isNew: boolean
  /** It was opened with the request's model and effort. */
  readonly hasWishes: boolean
  /** The request came before: its turn. */
  readonly before: Submitted | null
}

const sessionFor = (backend: Backend, request: ResponseRequest, named: Named | undefined): Promise<Found> =>
  request.previous === null ? open(backend, request, named) : goOn(backend, request, request.previous, named)

const submittedBefore = async (session: SessionBackend, named: Named | undefined): Promise<Submitted | null> =>
  named === undefined ? null : session.submitted(named.key, named.fingerprint)

const open = async (backend: Backend, request: ResponseRequest, named: Named | undefined): Promise<Found> => {
  const { agent, effort, model, opening, store } = request
  const session: CreateSession = {
    ...(agent === null ? {} : { agent }),
    ...(model === null ? {} : { model }),
    ...(effort === null ? {} : { effort }),
    ...(opening.cwd === undefined ? {} : { cwd: opening.cwd }),
    ...(opening.permissions === undefined ? {} : { permissions: opening.permissions }),
    ...(opening.instructions === null ? {} : { systemPrompt: opening.instructions }),
    ...(opening.mcpServers.length === 0 ? {} : { mcpServers: opening.mcpServers }),
    meta: metaOf({ opening: fingerprintsOf(opening), metadata: opening.metadata, store, previous: null })
  }
  const { id } = await backend.create(session, named?.key)
  return { id, isNew: true, hasWishes: true, before: await submittedBefore(backend.session(id), named) }
}

/** The session of a response, or where it has gone on since, a copy of it as it was then. */
const goOn = async (
  backend: Backend,
  request: ResponseRequest,
  previous: string,
  named: Named | undefined
): Promise<Found> => {
  const { place, session, view } = await find(backend, previous).catch((error: unknown) => {
    throw error instanceof Refused ? new Refused(404, error.code, error.message, "previous_response_id") : error
  })
  const opened = openedOf(view)
  if (request.agent !== null && request.agent !== view.agent) {
    throw invalid("model", `must be of the agent ${view.agent}, which has the session of ${previous}.`)
  }
  if (request.input.history.length > 0) {
    throw unsupported(
      "input",
      "must be what is new: the session of previous_response_id has the conversation before it."
    )
  }
  checkOpening(request.opening, opened)
  const here = { id: place.session, isNew: false, hasWishes: false }
  const before = await submittedBefore(session, named)
  if (before !== null || place.turn === view.turnCount) return { ...here, before }
  const meta = metaOf({ ...opened, previous })
  const { id } = await backend
    .session(place.session)
    .fork({ turnIndex: place.turn, meta })
    .catch((error: unknown) => {
      if (!(error instanceof TroupeError) || error.status !== 422) throw error
      const newest = responseId({ ...place, turn: view.turnCount })
      throw unsupported(
        "previous_response_id",
        `must be the newest of its session, ${newest}: other responses follow ${previous}, and ${view.agent} can't go back to an earlier turn.`
      )
    })
  return { id, isNew: true, hasWishes: false, before: null }
}

const fingerprintsOf = ({ instructions, mcpServers, metadata }: Opening) => ({
  instructions: fingerprintOf(instructions),
  metadata: fingerprintOf(Object.entries(metadata).toSorted()),
  tools: fingerprintOf(mcpServers)
})

/** A session keeps what it was opened with. Clients that send it with each response send the same. */
const checkOpening = (given: Opening, { opening }: Opened): void => {
  const prints = fingerprintsOf(given)
  const asks = {
    instructions: given.instructions !== null,
    metadata: Object.keys(given.metadata).length > 0,
    tools: given.mcpServers.length > 0
  }
  for (const name of ["instructions", "metadata", "tools"] as const) {
    if (asks[name] && prints[name] !== opening?.[name]) {
      throw unsupported(
        name,
        "must be those of the session's first response, or be left out: a session keeps what it was opened with."
      )
    }
  }
}

interface FoundResponse {
  readonly place: Place
  readonly session: SessionBackend
  readonly view: SessionInfo
}

/** Its session is open, is this app's, and was not made with `store: false`. */
const find = async (backend: Backend, id: string): Promise<FoundResponse> => {
  const place = placeOf(id)
  if (place === null) throw noSuchResponse(id)
  const session = backend.session(place.session)
  const view = await session.view().catch((error: unknown) => {
    throw error instanceof TroupeError && error.status === 404 ? noSuchResponse(id) : error
  })
  if (view.state === "closed" || place.turn > view.turnCount || !openedOf(view).store) throw noSuchResponse(id)
  return { place, session, view }
}

/** `startingAfter`: as a stream, after the event of that number; `null`: as it is now. */
export const retrieve = async (backend: Backend, id: string, startingAfter: number | null): Promise<Response> => {
  const { place, session, view } = await find(backend, id)
  if (startingAfter === null) return Response.json(await readResponse(session, view, place.turn))
  return streamResponse({ session, view, place, startingAfter, background: null, onEnd: () => Promise.resolve() })
}

export const cancel = async (backend: Backend, id: string): Promise<Response> => {
  const { place, session, view } = await find(backend, id)
  await session.interrupt(place.turn)
  return Response.json(await readResponse(session, view, place.turn))
}

/** A turn can't be taken out of its session: the newest response is deleted with all before it. */
export const remove = async (backend: Backend, id: string): Promise<Response> => {
  const { place, session, view } = await find(backend, id)
  if (place.turn < view.turnCount) {
    const newest = responseId({ ...place, turn: view.turnCount })
    throw new Refused(
      422,
      "response_has_followers",
      `Later responses of the same session follow ${id}. Deleting the newest, ${newest}, closes the session and deletes them all.`,
      "response_id"
    )
  }
  await session.close()
  return Response.json({ id, object: "response", deleted: true })
}

export const inputItems = async (backend: Backend, id: string): Promise<Response> => {
  const { place, session } = await find(backend, id)
  const turn: StoredTurn = await session.turn(place.turn)
  const item = {
    id: itemId("in", place, 0),
    type: "message",
    role: "user",
    status: "completed",
    content: [{ type: "input_text", text: turn.prompt }]
  }
  return Response.json({ object: "list", data: [item], first_id: item.id, last_id: item.id, has_more: false })
}
