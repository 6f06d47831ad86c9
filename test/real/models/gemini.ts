/** Google's Gemini API, as much of it as Gemini CLI 0.61 needs: streamed and whole answers, tools, thoughts. */
import type { ServerResponse } from "node:http"
import { answerTo, speak } from "./answer.ts"
import type { Answer } from "./answer.ts"
import type { Item } from "./conversation.ts"
import type { Tool } from "./directives.ts"

interface GeminiPart {
  readonly text?: string
  readonly functionResponse?: object
}

interface Content {
  readonly role?: string
  readonly parts?: ReadonlyArray<GeminiPart>
}

export interface GeminiRequest {
  readonly contents?: ReadonlyArray<Content>
  readonly systemInstruction?: Content
  readonly tools?: ReadonlyArray<{ readonly functionDeclarations?: ReadonlyArray<{ readonly name?: string }> }>
}

const textOf = ({ parts = [] }: Content) => parts.map(({ text = "" }) => text).join("\n")

/** In the shape of the other APIs. */
export const itemsOf = ({ contents = [] }: GeminiRequest): ReadonlyArray<Item> =>
  contents.map(({ parts = [], role = "user" }) => ({
    role: role === "model" ? "assistant" : role,
    content: parts.map(({ functionResponse, text }) =>
      functionResponse === undefined ? { type: "text", text: text ?? "" } : { type: "tool_result" }
    )
  }))

export const read = (request: GeminiRequest): Answer =>
  answerTo(itemsOf(request), textOf(request.systemInstruction ?? {}), (request.tools ?? []).length > 0)

export const refusal = (status: number) => ({
  error: { code: status, message: `stand-in error ${status}`, status: status === 401 ? "UNAUTHENTICATED" : "INVALID_ARGUMENT" }
})

const functionCall = (tool: Tool, { tools = [] }: GeminiRequest) => {
  switch (tool.kind) {
    case "run":
      return { name: "run_shell_command", args: { command: tool.command, description: "a command of the test" } }
    case "write":
      return { name: "write_file", args: { file_path: tool.path, content: tool.text } }
    case "read":
      return { name: "read_file", args: { file_path: tool.path } }
    case "call":
      return { name: tool.tool, args: JSON.parse(tool.input) as object }
    case "mcp": {
      const names = tools.flatMap(({ functionDeclarations = [] }) => functionDeclarations.map(({ name = "" }) => name))
      const name = names.find((name) => name.includes(tool.server) && name.endsWith(tool.tool))
      return { name: name ?? `mcp_${tool.server}_${tool.tool}`, args: {} }
    }
  }
}

const usageMetadata = { promptTokenCount: 10, candidatesTokenCount: 5, totalTokenCount: 15 }

const candidate = (part: object, finishReason?: string) => ({
  candidates: [{ index: 0, content: { role: "model", parts: [part] }, ...(finishReason ? { finishReason } : {}) }],
  usageMetadata
})

export const respond = async (
  response: ServerResponse,
  streams: boolean,
  request: GeminiRequest,
  answer: Answer
) => {
  const { hang, think, tool, words } = answer
  const part = tool === null ? { text: words.join("") } : { functionCall: functionCall(tool, request) }
  if (!streams) {
    response.setHeader("content-type", "application/json")
    response.end(JSON.stringify(candidate(part, "STOP")))
    return
  }
  const put = (data: object) => {
    if (!response.destroyed) response.write(`data: ${JSON.stringify(data)}\r\n\r\n`)
  }
  response.writeHead(200, { "content-type": "text/event-stream" })
  response.flushHeaders()
  if (hang) return
  if (think !== null) put(candidate({ text: think, thought: true }))
  if (tool !== null) put(candidate(part, "STOP"))
  else if (await speak(response, answer, (word) => put(candidate({ text: word })))) put(candidate({ text: "" }, "STOP"))
  response.end()
}
