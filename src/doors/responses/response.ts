/** A turn as a response: the same whenever it is read, and made of nothing but what is stored of its turn and its session. */
import type { Response, ResponseError, ResponseStatus, ResponseUsage } from "openai/resources/responses/responses"
import type { SessionBackend, SessionInfo, StoredTurn } from "../../backend/Backend.ts"
import { objectIn } from "../../domain/json.ts"
import type { JsonRecord } from "../../domain/json.ts"
import type { Usage } from "../../domain/Turn.ts"
import { responseId } from "./ids.ts"
import type { Place } from "./ids.ts"
import { project } from "./project.ts"
import type { Projection } from "./project.ts"

/** What a session that was opened by a response keeps of it, in its `meta`. */
export interface Opened {
  /** Of what it was opened with: a later response takes the same, or nothing. */
  readonly opening: Readonly<Record<"instructions" | "metadata" | "tools", string>> | null
  readonly metadata: Readonly<Record<string, string>>
  readonly store: boolean
  /** The response that its first one follows, in the session that this is a fork of. */
  readonly previous: string | null
}

const key = "responses"

export const metaOf = (opened: Opened): JsonRecord => ({ [key]: opened as unknown as JsonRecord })

/** Of a session that came into being in another way, there is nothing. */
export const openedOf = ({ meta }: Pick<SessionInfo, "meta">): Opened => {
  const { metadata, opening = null, previous = null, store = true } = objectIn(meta[key])
  return {
    opening: opening as Opened["opening"],
    metadata: objectIn(metadata) as Opened["metadata"],
    store: store !== false,
    previous: typeof previous === "string" ? previous : null
  }
}

/** As it is sent: the SDKs add `output_text` themselves. */
type SentResponse = Omit<Response, "output_text">

export interface Begun {
  readonly status: ResponseStatus
  /** Milliseconds since 1970. */
  readonly createdAt: number
  /** `null`: not known, since a turn is the same whether or not it was waited for. */
  readonly background: boolean | null
}

/** A response without output yet. */
export const begunResponse = (
  session: SessionInfo,
  place: Place,
  { background, createdAt, status }: Begun
): SentResponse => {
  const opened = openedOf(session)
  return {
    id: responseId(place),
    access_programs: null,
    object: "response",
    created_at: Math.floor(createdAt / 1000),
    status,
    background,
    error: null,
    incomplete_details: null,
    instructions: null,
    max_output_tokens: null,
    model: session.model === null ? session.agent : `${session.agent}/${session.model}`,
    output: [],
    parallel_tool_calls: true,
    previous_response_id: place.turn > 1 ? responseId({ ...place, turn: place.turn - 1 }) : opened.previous,
    reasoning: { effort: null, summary: null },
    store: opened.store,
    temperature: null,
    text: { format: { type: "text" } },
    tool_choice: "auto",
    tools: [],
    top_p: null,
    truncation: "disabled",
    metadata: { ...opened.metadata }
  } as SentResponse
}

/** As it is now. */
export const readResponse = async (
  session: SessionBackend,
  view: SessionInfo,
  index: number,
  background: boolean | null = null
): Promise<SentResponse> => {
  const turn = await session.turn(index)
  const projection = project({ session: turn.sessionId, turn: index })
  for await (const { message } of session.turnEvents(index, undefined, false)) projection.take(message)
  return responseOf(view, turn, projection, background)
}

const responseOf = (
  session: SessionInfo,
  turn: StoredTurn,
  projection: Projection,
  background: boolean | null
): SentResponse => {
  const place = { session: turn.sessionId, turn: turn.turnIndex }
  if (turn.endedAt !== null) projection.end(turn.status === "completed")
  const status = statusOf(turn)
  return {
    ...begunResponse(session, place, { status, createdAt: turn.submittedAt, background }),
    ...(turn.endedAt === null ? {} : { completed_at: Math.floor(turn.endedAt / 1000), usage: usageOf(turn.usage) }),
    error: errorOf(turn),
    incomplete_details: status === "incomplete" ? { reason: "max_output_tokens" } : null,
    output: projection.output()
  }
}

export const statusOf = ({ status, stopReason }: StoredTurn): ResponseStatus => {
  switch (status) {
    case "queued":
      return "queued"
    case "running":
      return "in_progress"
    case "completed":
      return stopReason === "max_tokens" || stopReason === "max_turn_requests" ? "incomplete" : "completed"
    case "interrupted":
      return "cancelled"
    case "failed":
    case "timed_out":
      return "failed"
  }
}

/** OpenAI has few codes: Troupe's class is the first word of the message. */
const errorOf = ({ error, errorClass, status }: StoredTurn): ResponseError | null =>
  error === null || status === "interrupted"
    ? null
    : { code: errorClass === "quota" ? "rate_limit_exceeded" : "server_error", message: error }

const usageOf = (usage: Usage): ResponseUsage => ({
  input_tokens: usage.inputTokens,
  input_tokens_details: { cached_tokens: usage.cachedInputTokens, cache_write_tokens: 0 },
  output_tokens: usage.outputTokens,
  output_tokens_details: { reasoning_tokens: usage.reasoningTokens },
  total_tokens: usage.totalTokens
})
