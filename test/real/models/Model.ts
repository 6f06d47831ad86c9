/**
 * A stand-in for the model providers on a loopback port, so that real agents run with no network and no account.
 *
 * It speaks Anthropic's Messages API, OpenAI's Responses API and Google's Gemini API; `directives.ts` says how a prompt decides the answer.
 * It remembers what it was asked, so that a test can see what an agent really sent.
 */
import { Effect } from "effect"
import type { Scope } from "effect"
import { createServer } from "node:http"
import type { IncomingMessage, ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import type { Answer } from "./answer.ts"
import * as Anthropic from "./anthropic.ts"
import { userTexts } from "./conversation.ts"
import * as Gemini from "./gemini.ts"
import * as Responses from "./responses.ts"

/** One request for an answer. `texts` is every text of the user in it, oldest first. */
export interface Asked {
  readonly prompt: string
  readonly system: string
  readonly texts: ReadonlyArray<string>
  /** The body of the request, as the agent sent it. */
  readonly request: Readonly<Record<string, unknown>>
}

export interface Model {
  readonly port: number
  /** Since it was started, oldest first. */
  readonly asked: () => ReadonlyArray<Asked>
  /** From now on it begins to answer whatever holds, and says no more; until it is told otherwise. */
  readonly hold: (holds: (asked: Asked) => boolean) => void
}

export const start: Effect.Effect<Model, never, Scope.Scope> = Effect.gen(function* () {
  const asked: Array<Asked> = []
  let holds: (asked: Asked) => boolean = () => false
  const hear: Hear = (answer, texts, request) => {
    const one = { prompt: answer.prompt, system: answer.system, texts, request: request as Asked["request"] }
    return { id: asked.push(one), answer: holds(one) ? { ...answer, hang: true } : answer }
  }
  const server = createServer((request, response) => {
    // An agent that was killed in the middle of its request gets no answer, and is no failure of ours.
    serve(request, response, hear).catch(() => response.destroy())
  })
  // An agent keeps its connections; a shorter time races with its next request.
  server.keepAliveTimeout = 60_000
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.void))
    }),
    () =>
      Effect.callback<void>((resume) => {
        server.close(() => resume(Effect.void))
        server.closeAllConnections()
      })
  )
  return { port: (server.address() as AddressInfo).port, asked: () => asked, hold: (when) => (holds = when) }
})

/** Remembers what was asked, and gives the answer its number. */
type Hear = (answer: Answer, texts: ReadonlyArray<string>, request: object) => { readonly id: number; readonly answer: Answer }

const serve = async (request: IncomingMessage, response: ServerResponse, hear: Hear) => {
  let body = ""
  for await (const chunk of request) body += chunk
  const { pathname } = new URL(request.url ?? "/", "http://localhost")
  const json = (status: number, value: unknown) => {
    response.writeHead(status, { "content-type": "application/json" })
    response.end(JSON.stringify(value))
  }
  // Lists of models, and whatever else an agent looks at before it begins.
  if (request.method !== "POST") return json(200, { object: "list", data: [], models: [] })
  if (pathname === "/v1/messages/count_tokens") return json(200, { input_tokens: 10 })
  const [, action] = /^\/v1beta\/models\/[^/]+:(generateContent|streamGenerateContent)$/.exec(pathname) ?? []
  if (action !== undefined) {
    const wanted: Gemini.GeminiRequest = JSON.parse(body)
    const { answer } = hear(Gemini.read(wanted), userTexts(Gemini.itemsOf(wanted)), wanted)
    if (answer.status !== null) return json(answer.status, Gemini.refusal(answer.status))
    return Gemini.respond(response, action === "streamGenerateContent", wanted, answer)
  }
  switch (pathname) {
    case "/v1/messages": {
      const wanted: Anthropic.MessagesRequest = JSON.parse(body)
      const { answer, id } = hear(Anthropic.read(wanted), userTexts(wanted.messages ?? []), wanted)
      if (answer.status !== null) return json(answer.status, Anthropic.refusal(answer.status))
      return Anthropic.respond(response, id, wanted, answer)
    }
    case "/v1/responses": {
      const wanted: Responses.ResponsesRequest = JSON.parse(body)
      const { answer, id } = hear(Responses.read(wanted), userTexts(wanted.input ?? []), wanted)
      if (answer.status !== null) return json(answer.status, Responses.refusal(answer.status))
      return Responses.respond(response, id, wanted, answer)
    }
    default:
      return json(404, {})
  }
}
