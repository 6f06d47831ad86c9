/**
 * Troupe's own reviewer: calls the OpenAI Responses API directly, with two tools.
 *
 * It never runs on an app-server, which would run the tool calls itself: a reviewer that is made for the mode
 * `codex_app_server` runs as `codex_responses`. The client is OpenAI's own; it retries what is worth retrying. A failure
 * leaves this file as one sentence only: a provider's error may quote the key.
 */
import { Effect, Redacted, Schema } from "effect"
import type * as OpenAi from "openai"
import type { Response, ResponseInputItem } from "openai/resources/responses/responses"
import type { ReviewMode } from "../domain/Review.ts"
import { noUsage, tokensIn } from "../domain/Turn.ts"
import type { Usage } from "../domain/Turn.ts"
import { clipped } from "../domain/boundedJson.ts"
import { isMissing, missingPackage } from "../domain/optionalPackage.ts"
import { instructionsOf, transcriptOf } from "./ReviewRequest.ts"
import type { ReviewRequest } from "./ReviewRequest.ts"
import { toolDefinitions } from "./ReviewTools.ts"
import type { ToolCall } from "./ReviewTools.ts"

export interface ReviewerConfig {
  /** The mode of the session that is reviewed. */
  readonly mode: "codex_app_server" | "codex_responses"
  /** With its path, such as `https://api.openai.com/v1`. */
  readonly baseUrl: string
  readonly apiKey: Redacted.Redacted<string>
  readonly model: string
}

/** `message` says what happened and what to do about it. */
export class ModelFailed extends Schema.TaggedError<ModelFailed>()("ModelFailed", { message: Schema.String }) {}

export interface ModelAnswer {
  /** Empty: the model has finished. */
  readonly calls: ReadonlyArray<ToolCall>
  readonly usage: Usage
}

/** One review's exchange with the model, which keeps the conversation so far. `ask` and `answer` alternate. */
export interface Exchange {
  /** The cost of the first call, estimated. */
  readonly inputTokens: number
  readonly ask: Effect.Effect<ModelAnswer, ModelFailed>
  readonly answer: (call: ToolCall, output: string) => void
}

export interface Reviewer {
  /** The mode in which it runs, whichever it was made for. */
  readonly mode: Extract<ReviewMode, "codex_responses">
  readonly model: string
  readonly begin: (request: ReviewRequest) => Exchange
}

/** The client's own limit for one HTTP request; the review's machine gives up earlier. */
const requestMillis = 120_000
const outputTokens = 16_384
/** Fewer than usual, so that the estimate is rather too high. */
const charactersPerToken = 3

/** Loaded by the first review: Troupe's start does not wait for it, and only who has reviews needs to install it. */
const library = Effect.tryPromise({
  // Caught here, because a bundler that does not find an optional package then goes on.
  try: () => import("openai").catch((cause: unknown) => Promise.reject(cause)),
  catch: (cause) =>
    new ModelFailed({
      message: isMissing(cause, "openai")
        ? missingPackage("Background reviews need", "openai")
        : `The package openai could not be loaded (${String(cause)}).`
    })
})
type Library = typeof OpenAi

export const make = (config: ReviewerConfig): Reviewer => {
  let client: OpenAi.OpenAI | undefined
  const clientOf = ({ OpenAI }: Library) =>
    (client ??= new OpenAI({
      apiKey: Redacted.value(config.apiKey),
      baseURL: config.baseUrl,
      // The client would take these from our own environment, where they may belong to another account.
      organization: null,
      project: null,
      adminAPIKey: null,
      webhookSecret: null,
      logLevel: "off",
      maxRetries: 2,
      timeout: requestMillis
    }))

  const begin = (request: ReviewRequest): Exchange => {
    const instructions = instructionsOf(request)
    const transcript = transcriptOf(request.messagesSnapshot)
    const input: Array<ResponseInputItem> = [{ role: "user", content: transcript }]

    const ask = Effect.flatMap(library, (openai) =>
      Effect.tryPromise({
        try: (signal) =>
          clientOf(openai).responses.create(
            {
              model: config.model,
              instructions,
              input,
              tools: toolDefinitions.map((tool) => ({ type: "function" as const, strict: true, ...tool })),
              max_output_tokens: outputTokens,
              // The conversation is the app's: it is not left with the provider.
              store: false
            },
            { signal }
          ),
        catch: (cause) => new ModelFailed({ message: failureOf(cause, openai, config) })
      })
    ).pipe(Effect.flatMap(answerOf))

    const remember = (answer: ModelAnswer & { readonly items: ReadonlyArray<ResponseInputItem> }) => {
      input.push(...answer.items)
      return { calls: answer.calls, usage: answer.usage }
    }
    return {
      inputTokens: Math.ceil((instructions.length + transcript.length) / charactersPerToken),
      ask: Effect.map(ask, remember),
      answer: ({ id }, output) => void input.push({ type: "function_call_output", call_id: id, output })
    }
  }

  return { mode: "codex_responses", model: config.model, begin }
}

/**
 * Messages and calls go into the next request. Reasoning does not: without the provider's store it could only be sent
 * back encrypted, which not every model and endpoint accepts.
 */
const answerOf = (response: Response) => {
  if (response.status === "failed" || response.status === "incomplete") {
    const reason = response.error?.message ?? response.incomplete_details?.reason ?? "no reason given"
    return Effect.fail(new ModelFailed({ message: `The model's answer ended early: ${clipped(reason, 300)}.` }))
  }
  const items: Array<ResponseInputItem> = []
  const calls: Array<ToolCall> = []
  for (const item of response.output ?? []) {
    if (item.type === "function_call") {
      const call = { id: item.call_id, name: item.name, arguments: item.arguments }
      calls.push(call)
      items.push({ type: "function_call", call_id: call.id, name: call.name, arguments: call.arguments })
    } else if (item.type === "message") {
      const content = item.content.map((part) => (part.type === "output_text" ? part.text : part.refusal)).join("")
      items.push({ role: "assistant", content })
    }
  }
  return Effect.succeed({ calls, items, usage: usageOf(response) })
}

/** An endpoint of another provider may omit parts of the usage, or all of it. */
const usageOf = ({ usage }: Response): Usage =>
  usage === undefined || usage === null
    ? noUsage
    : {
        inputTokens: tokensIn(usage.input_tokens),
        cachedInputTokens: tokensIn(usage.input_tokens_details?.cached_tokens),
        outputTokens: tokensIn(usage.output_tokens),
        reasoningTokens: tokensIn(usage.output_tokens_details?.reasoning_tokens),
        totalTokens: tokensIn(usage.total_tokens)
      }

const failureOf = (cause: unknown, openai: Library, { apiKey, model }: ReviewerConfig): string => {
  if (cause instanceof openai.APIConnectionError) {
    return "The model's API could not be reached. Check its address (reviews.baseUrl, TROUPE_REVIEW_BASE_URL, or the agent's OPENAI_BASE_URL)."
  }
  if (!(cause instanceof openai.APIError)) return "The model's API answered in a way that could not be read."
  switch (cause.status) {
    case 401:
    case 403:
      return `The model's API refused the key (HTTP ${cause.status}). Check reviews.apiKey (TROUPE_REVIEW_API_KEY), or the agent's OPENAI_API_KEY.`
    case 404:
      return `The model's API knows no ${model} at this address (HTTP 404). Check reviews.model and reviews.baseUrl.`
    default: {
      const detail = clipped(cause.message, 300).replaceAll(Redacted.value(apiKey), "[redacted]")
      return `The model's API failed, tried three times where that could help: ${detail}`
    }
  }
}
