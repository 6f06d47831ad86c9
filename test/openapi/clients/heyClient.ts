/** A whole session by a client that `@hey-api/openapi-ts` has made. Compiled under `strict`. */
import * as Troupe from "./generated/hey/index.ts"
import { createClient } from "./generated/hey/client/index.ts"
import { prompt } from "../session.ts"
import type { RunSession } from "../session.ts"

export const runSession: RunSession = async ({ token, url }) => {
  const client = createClient({ baseUrl: url, auth: token })
  const created = await Troupe.sessionsCreate({
    client,
    body: { agent: "demo", permissions: "ask", meta: { ticket: "T-1", labels: ["a"] } },
    throwOnError: true
  })
  const { meta, session_id: sessionId } = created.data
  const path = { id: sessionId }

  const turn = await Troupe.turnsSubmit({ client, path, body: { prompt: "Say hello." }, throwOnError: true })
  if (!("final_text" in turn.data)) throw new Error("there is no result")
  const answer: string = turn.data.final_text

  let [streamedText, resultText] = ["", ""]
  const approvals: Array<string> = []
  // It would send the turn again after a lost connection.
  const { stream } = await Troupe.turnsStream({ client, path, body: { prompt }, sseMaxRetryAttempts: 1 })
  for await (const data of stream) {
    if ("jsonrpc" in data) {
      if (!("method" in data)) continue
      if (data.method === "session/update") {
        const { update } = data.params
        if (update.sessionUpdate === "agent_message_chunk" && update.content.type === "text") {
          streamedText += update.content.text
        }
      } else if (data.method === "_troupe/approval_asked") {
        const waiting = await Troupe.approvalsList({ client, path, throwOnError: true })
        approvals.push(...waiting.data.approvals.map(({ kind }) => kind))
        const answered = await Troupe.approvalsAnswer({
          client,
          path: { ...path, approval_id: data.params.approval_id },
          body: { decision: "once" },
          throwOnError: true
        })
        approvals.push(answered.data.status)
      }
    } else if ("final_text" in data) resultText = data.final_text
    else throw new Error(data.detail)
  }

  const messages = await Troupe.turnsMessages({ client, path, query: { limit: 10 }, throwOnError: true })
  const roles: ReadonlyArray<string> = messages.data.messages.map(({ role }) => role)
  await Troupe.sessionsClose({ client, path, throwOnError: true })

  const methods = new Set<string>()
  const events = await Troupe.sessionsEvents({ client, path })
  for await (const data of events.stream) if ("method" in data) methods.add(data.method)

  const late = await Troupe.turnsSubmit({ client, path, body: { prompt: "Too late." } })
  if (late.error === undefined || "final_text" in late.error) throw new Error("a closed session took a turn")
  return { sessionId, meta, answer, streamedText, resultText, approvals, roles, methods, refusal: late.error.error }
}
