/** Anthropic's Messages API, as much of it as Claude Code 2.1 needs: streamed and whole answers, tools, thinking. */
import type { ServerResponse } from "node:http"
import { answerTo, send, speak } from "./answer.ts"
import type { Answer } from "./answer.ts"
import type { Item } from "./conversation.ts"
import type { Tool } from "./directives.ts"

export interface MessagesRequest {
  readonly model?: string
  readonly stream?: boolean
  readonly messages?: ReadonlyArray<Item>
  readonly system?: string | ReadonlyArray<{ readonly text?: string }>
  readonly tools?: ReadonlyArray<{ readonly name?: string }>
}

export const read = ({ messages = [], system = "", tools = [] }: MessagesRequest): Answer =>
  answerTo(
    messages,
    typeof system === "string" ? system : system.map(({ text = "" }) => text).join("\n"),
    tools.length > 0
  )

/** The error types of Anthropic's API documentation, by status. */
const errorTypes: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  429: "rate_limit_error",
  529: "overloaded_error"
}

export const refusal = (status: number) => ({
  type: "error",
  error: { type: errorTypes[status] ?? "api_error", message: `stand-in error ${status}` }
})

/** Claude Code's tools, or opencode's, which have other names and speak of `filePath`. */
const toolUse = (tool: Tool, { tools = [] }: MessagesRequest) => {
  const isOpencode = tools.some(({ name }) => name === "bash")
  const use = (name: string, input: object) => ({ name: isOpencode ? name.toLowerCase() : name, input })
  const path = (of: string) => (isOpencode ? { filePath: of } : { file_path: of })
  switch (tool.kind) {
    case "run":
      return use("Bash", { command: tool.command, description: "a command of the test" })
    case "read":
      return use("Read", path(tool.path))
    case "write":
      return use("Write", { ...path(tool.path), content: tool.text })
    case "call":
      return { name: tool.tool, input: JSON.parse(tool.input) as object }
    case "mcp":
      return { name: isOpencode ? `${tool.server}_${tool.tool}` : `mcp__${tool.server}__${tool.tool}`, input: {} }
  }
}

export const respond = async (response: ServerResponse, id: number, request: MessagesRequest, answer: Answer) => {
  const { hang, think, tool, words } = answer
  const usage = { input_tokens: 10, cache_creation_input_tokens: 3, cache_read_input_tokens: 7, output_tokens: 5 }
  const message = { id: `msg_${id}`, type: "message", role: "assistant", model: request.model, stop_sequence: null }
  if (request.stream !== true) {
    const content = [{ type: "text", text: words.join("") }]
    response.setHeader("content-type", "application/json")
    response.end(JSON.stringify({ ...message, content, stop_reason: "end_turn", usage }))
    return
  }

  let index = 0
  const block = (start: object) => {
    send(response, "content_block_start", { index, content_block: start })
    return {
      delta: (delta: object) => send(response, "content_block_delta", { index, delta }),
      stop: () => send(response, "content_block_stop", { index: index++ })
    }
  }
  const stop = (reason: string) => {
    send(response, "message_delta", { delta: { stop_reason: reason, stop_sequence: null }, usage })
    send(response, "message_stop", {})
    response.end()
  }

  response.writeHead(200, { "content-type": "text/event-stream" })
  send(response, "message_start", {
    message: { ...message, content: [], stop_reason: null, usage: { ...usage, output_tokens: 1 } }
  })
  if (hang) return
  if (think !== null) {
    const thinking = block({ type: "thinking", thinking: "", signature: "" })
    thinking.delta({ type: "thinking_delta", thinking: think })
    thinking.delta({ type: "signature_delta", signature: "c2ln" })
    thinking.stop()
  }
  if (tool !== null) {
    const { input, name } = toolUse(tool, request)
    const use = block({ type: "tool_use", id: `toolu_${id}`, name, input: {} })
    use.delta({ type: "input_json_delta", partial_json: JSON.stringify(input) })
    use.stop()
    return stop("tool_use")
  }
  const text = block({ type: "text", text: "" })
  if (await speak(response, answer, (word) => text.delta({ type: "text_delta", text: word }))) {
    text.stop()
    stop("end_turn")
  }
}
