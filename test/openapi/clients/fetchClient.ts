/** A whole session by `openapi-fetch`, over the types that `openapi-typescript` has made. Compiled under `strict`. */
import createClient from "openapi-fetch"
import type { components, paths } from "./generated/openapi-typescript.ts"
import { prompt } from "../session.ts"
import type { RunSession } from "../session.ts"

type Data = components["schemas"]["TurnStreamData"]

/** `openapi-fetch` gives a stream as it comes: the `data` of each event. */
const dataOf = async function* (stream: ReadableStream<Uint8Array>) {
  const decoder = new TextDecoder()
  let text = ""
  for await (const chunk of stream) {
    const parts = (text + decoder.decode(chunk, { stream: true })).split("\n\n")
    text = parts.pop() ?? ""
    for (const part of parts) {
      const data = /^data: (.*)$/m.exec(part)?.[1]
      if (data !== undefined) yield JSON.parse(data) as Data
    }
  }
}

export const runSession: RunSession = async ({ token, url }) => {
  const client = createClient<paths>({ baseUrl: url, headers: { authorization: `Bearer ${token}` } })
  const created = await client.POST("/sessions", {
    body: { agent: "demo", permissions: "ask", meta: { ticket: "T-1", labels: ["a"] } }
  })
  if (created.data === undefined) throw new Error(created.error.detail)
  const { meta, session_id: sessionId } = created.data
  const params = { path: { id: sessionId } }

  const turn = await client.POST("/sessions/{id}/turn", { params, body: { prompt: "Say hello." } })
  if (turn.data === undefined || !("final_text" in turn.data)) throw new Error("there is no result")
  const answer: string = turn.data.final_text

  const streamed = await client.POST("/sessions/{id}/turn/stream", { params, body: { prompt }, parseAs: "stream" })
  if (streamed.data === undefined || streamed.data === null) throw new Error(streamed.error?.detail)
  let [streamedText, resultText] = ["", ""]
  const approvals: Array<string> = []
  for await (const data of dataOf(streamed.data)) {
    if ("jsonrpc" in data) {
      if (!("method" in data)) continue
      if (data.method === "session/update") {
        const { update } = data.params
        if (update.sessionUpdate === "agent_message_chunk" && update.content.type === "text") {
          streamedText += update.content.text
        }
      } else if (data.method === "_troupe/approval_asked") {
        const path = { id: sessionId, approval_id: data.params.approval_id }
        const waiting = await client.GET("/sessions/{id}/approvals", { params })
        approvals.push(...(waiting.data?.approvals.map(({ kind }) => kind) ?? []))
        const answered = await client.POST("/sessions/{id}/approvals/{approval_id}", {
          params: { path },
          body: { decision: "once" }
        })
        approvals.push(answered.data?.status ?? "")
      }
    } else if ("final_text" in data) resultText = data.final_text
    else throw new Error(data.detail)
  }

  const messages = await client.GET("/sessions/{id}/messages", { params: { ...params, query: { limit: 10 } } })
  const roles: ReadonlyArray<string> = messages.data?.messages.map(({ role }) => role) ?? []
  const closed = await client.DELETE("/sessions/{id}", { params })
  if (closed.data?.ok !== true) throw new Error(closed.error?.detail)

  const events = await client.GET("/sessions/{id}/events", { params, parseAs: "stream" })
  const methods = new Set<string>()
  for await (const data of dataOf(events.data!)) if ("method" in data) methods.add(data.method)

  const late = await client.POST("/sessions/{id}/turn", { params, body: { prompt: "Too late." } })
  if (late.error === undefined || "final_text" in late.error) throw new Error("a closed session took a turn")
  return { sessionId, meta, answer, streamedText, resultText, approvals, roles, methods, refusal: late.error.error }
}
