/** A response as a stream: its turn's events, projected from the first, so that each has the same number for every reader. */
import type { ResponseStatus } from "openai/resources/responses/responses"
import type { SessionBackend, SessionInfo } from "../../backend/Backend.ts"
import { objectIn } from "../../domain/json.ts"
import type { StreamedMessage } from "../../domain/events/StreamedMessage.ts"
import { eventResponse } from "../eventResponse.ts"
import { untilAborted } from "../untilAborted.ts"
import { errorBody, isRefusal } from "./errors.ts"
import type { Place } from "./ids.ts"
import { project } from "./project.ts"
import type { ItemEvent } from "./project.ts"
import { begunResponse, readResponse } from "./response.ts"

export interface StreamRequest {
  readonly session: SessionBackend
  readonly view: SessionInfo
  readonly place: Place
  /** The number of the last event that the reader has; -1: none. */
  readonly startingAfter: number
  readonly background: boolean | null
  /** When the response is over, and before the reader is told. */
  readonly onEnd: () => Promise<void>
}

async function* eventsOf(request: StreamRequest, signal: AbortSignal): AsyncGenerator<ItemEvent> {
  const { background, onEnd, place, session, startingAfter, view } = request
  const projection = project(place)
  let number = 0
  const numbered = (events: ReadonlyArray<ItemEvent>) =>
    events
      .map((event) => ({ ...event, sequence_number: number++ }))
      .filter((event) => event.sequence_number > startingAfter)

  const begun = (type: string, status: ResponseStatus, at: unknown): ItemEvent => ({
    type,
    response: begunResponse(view, place, { status, createdAt: Number(at) * 1000, background })
  })

  const eventsAt = (message: StreamedMessage): ReadonlyArray<ItemEvent> => {
    if (message.method !== "_troupe/turn") return projection.take(message)
    const { at, phase, queued, status } = objectIn(message.params)
    if (phase === "started") return [begun("response.in_progress", "in_progress", at)]
    if (phase !== "submitted") return projection.end(status === "completed")
    const created = begun("response.created", queued === true ? "queued" : "in_progress", at)
    return queued === true ? [created, begun("response.queued", "queued", at)] : [created]
  }

  try {
    const events = untilAborted(session.turnEvents(place.turn), signal)
    for await (const { message } of events) yield* numbered(eventsAt(message))
    if (signal.aborted) return
    const response = await readResponse(session, view, place.turn, background)
    await onEnd()
    yield* numbered([{ type: lastOf(response.status), response }])
  } catch (error) {
    if (!isRefusal(error)) throw error
    yield* numbered([{ type: "error", ...errorBody(error) }])
  }
}

/** Of a response that was cancelled the protocol has no event: its status says so. */
const lastOf = (status: ResponseStatus | undefined): string =>
  status === "completed" ? "response.completed" : status === "failed" ? "response.failed" : "response.incomplete"

export const streamResponse = (request: StreamRequest): Response =>
  eventResponse(async function* (signal) {
    for await (const event of eventsOf(request, signal))
      yield `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
  })
