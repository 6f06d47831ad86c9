/** The official client at a connection to Troupe: what it was told, and how it answers what it is asked. */
import { client, methods, PROTOCOL_VERSION } from "@agentclientprotocol/sdk"
import type {
  ClientConnection,
  CreateElicitationResponse,
  RequestPermissionRequest,
  SessionNotification,
  Stream
} from "@agentclientprotocol/sdk"

export interface Script {
  /** The option that is chosen; `null`: the request is left open. */
  readonly permission?: (request: RequestPermissionRequest) => string | null
  readonly elicitation?: () => CreateElicitationResponse
}

export interface AcpClient {
  readonly connection: ClientConnection
  readonly request: ClientConnection["agent"]["request"]
  readonly updates: Array<SessionNotification>
  readonly asked: Array<RequestPermissionRequest>
  /** Requests that were taken back. */
  readonly takenBack: Array<string>
  readonly textOf: (sessionId: string) => string
  readonly said: (sessionId: string, text: string) => Promise<void>
  readonly prompt: (sessionId: string, text: string) => Promise<{ readonly stopReason: string }>
}

export const connect = async (stream: Stream, script: Script = {}): Promise<AcpClient> => {
  const updates: Array<SessionNotification> = []
  const asked: Array<RequestPermissionRequest> = []
  const takenBack: Array<string> = []
  const connection = client({ name: "test" })
    .onNotification(methods.client.session.update, ({ params }) => void updates.push(params))
    .onRequest(methods.client.session.requestPermission, async ({ params, signal }) => {
      asked.push(params)
      const optionId = script.permission?.(params) ?? null
      if (optionId !== null) return { outcome: { outcome: "selected", optionId } }
      return new Promise((resolve) =>
        signal.addEventListener("abort", () => {
          takenBack.push(params.toolCall.title ?? "")
          resolve({ outcome: { outcome: "cancelled" } })
        })
      )
    })
    .onRequest(methods.client.elicitation.create, () => script.elicitation?.() ?? { action: "decline" })
    .connect(stream)
  await connection.agent.request(methods.agent.initialize, {
    protocolVersion: PROTOCOL_VERSION,
    clientInfo: { name: "test", version: "1" },
    clientCapabilities: script.elicitation === undefined ? {} : { elicitation: { form: {} } }
  })
  const textOf = (sessionId: string) =>
    updates
      .filter((told) => told.sessionId === sessionId)
      .map(({ update }) =>
        update.sessionUpdate === "agent_message_chunk" && update.content.type === "text" ? update.content.text : ""
      )
      .join("")
  return {
    connection,
    request: connection.agent.request.bind(connection.agent),
    updates,
    asked,
    takenBack,
    textOf,
    said: (sessionId, text) => until(() => textOf(sessionId).includes(text)),
    prompt: (sessionId, text) =>
      connection.agent.request(methods.agent.session.prompt, { sessionId, prompt: [{ type: "text", text }] })
  }
}

/** Waits for what an answer of the client does not tell. */
export const until = async (holds: () => boolean | Promise<boolean>, what = "it"): Promise<void> => {
  const deadline = Date.now() + 20_000
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`${what} did not happen within 20 s`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
