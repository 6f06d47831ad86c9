/** OpenAI's Responses API, as much of it as codex 0.166 to 0.171 needs: streamed answers, tools, reasoning. */
import type { ServerResponse } from "node:http"
import { answerTo, send, speak } from "./answer.ts"
import type { Answer } from "./answer.ts"
import type { Item } from "./conversation.ts"
import type { Tool } from "./directives.ts"

interface ToolSpec {
  readonly name?: string
  readonly type?: string
  /** Of a namespace. */
  readonly tools?: ReadonlyArray<ToolSpec>
}

export interface ResponsesRequest {
  readonly input?: ReadonlyArray<Item & { readonly tools?: ReadonlyArray<ToolSpec> }>
  readonly instructions?: string
  readonly tools?: ReadonlyArray<ToolSpec>
}

/** Codex names tools at the top, in a namespace, or in an item of the input. */
const offered = ({ input = [], tools = [] }: ResponsesRequest): ReadonlyMap<string, string> => {
  const flat = (specs: ReadonlyArray<ToolSpec>): ReadonlyArray<ToolSpec> =>
    specs.flatMap((spec) => (spec.type === "namespace" ? flat(spec.tools ?? []) : [spec]))
  const all = [...flat(tools), ...input.flatMap((item) => flat(item.tools ?? []))]
  return new Map(all.map(({ name, type = "function" }) => [name ?? type, type]))
}

export const read = (request: ResponsesRequest): Answer => {
  const { input = [], instructions = "" } = request
  const developer = input.filter(({ role }) => role === "developer").map(({ content }) => JSON.stringify(content))
  return answerTo(input, [instructions, ...developer].join("\n"), offered(request).size > 0)
}

/** What a provider says with each status that the agents tell apart. */
export const refusal = (status: number) => ({
  error: {
    message: `stand-in error ${status}`,
    type: status === 429 ? "requests" : status < 500 ? "invalid_request_error" : "server_error",
    code: status === 401 ? "invalid_api_key" : status === 429 ? "rate_limit_exceeded" : null,
    param: null
  }
})

const patchOf = ({ path, text }: Tool & { kind: "write" }) =>
  `*** Begin Patch\n*** Add File: ${path}\n${text
    .split("\n")
    .map((row) => `+${row}`)
    .join("\n")}\n*** End Patch`

const callOf = (tool: Tool, id: number, tools: ReadonlyMap<string, string>) => {
  const call = { call_id: `call_${id}`, status: "completed" }
  if (tool.kind === "write" && tools.get("apply_patch") === "custom") {
    return { ...call, type: "custom_tool_call", id: `ctc_${id}`, name: "apply_patch", input: patchOf(tool) }
  }
  if (tool.kind === "mcp") {
    // Codex may offer these tools only to a search, and takes a call of one all the same.
    const { server, tool: name } = tool
    return { ...call, type: "function_call", id: `fc_${id}`, namespace: `mcp__${server}`, name, arguments: "{}" }
  }
  if (tool.kind === "call") {
    return { ...call, type: "function_call", id: `fc_${id}`, name: tool.tool, arguments: tool.input }
  }
  const command =
    tool.kind === "run" ? tool.command : tool.kind === "read" ? `cat '${tool.path}'` : `apply_patch <<'PATCH'\n${patchOf(tool)}\nPATCH`
  const shell = ["exec_command", "shell_command"].find((name) => tools.has(name)) ?? "shell"
  const escalation =
    tool.kind === "run" && tool.escalated
      ? { sandbox_permissions: "require_escalated", justification: "The test asks for it." }
      : {}
  const args = {
    exec_command: { cmd: command, ...escalation },
    shell_command: { command },
    shell: { command: ["bash", "-lc", command] }
  }
  return {
    ...call,
    type: "function_call",
    id: `fc_${id}`,
    name: shell,
    arguments: JSON.stringify(args[shell as keyof typeof args])
  }
}

export const respond = async (response: ServerResponse, id: number, request: ResponsesRequest, answer: Answer) => {
  const { hang, think, tool, words } = answer
  const output: Array<object> = []
  const usage = {
    input_tokens: 100,
    input_tokens_details: { cached_tokens: 10 },
    output_tokens: 20,
    output_tokens_details: { reasoning_tokens: 5 },
    total_tokens: 120
  }
  const begin = (item: object) => send(response, "response.output_item.added", { output_index: output.length, item })
  const done = (item: object) => {
    send(response, "response.output_item.done", { output_index: output.length, item })
    output.push(item)
  }
  const complete = () => {
    send(response, "response.completed", { response: { id: `resp_${id}`, status: "completed", output, usage } })
    response.end()
  }

  response.writeHead(200, { "content-type": "text/event-stream" })
  send(response, "response.created", { response: { id: `resp_${id}`, status: "in_progress", output: [] } })
  if (hang) return
  if (think !== null) {
    const item = { type: "reasoning", id: `rs_${id}`, summary: [{ type: "summary_text", text: think }] }
    const of = { item_id: item.id, output_index: 0, summary_index: 0 }
    begin({ ...item, summary: [] })
    send(response, "response.reasoning_summary_part.added", of)
    send(response, "response.reasoning_summary_text.delta", { ...of, delta: think })
    done(item)
  }
  if (tool !== null) {
    const item = callOf(tool, id, offered(request))
    begin({ ...item, status: "in_progress" })
    done(item)
    return complete()
  }
  const content = [{ type: "output_text", text: words.join(""), annotations: [] }]
  const item = { type: "message", id: `msg_${id}`, role: "assistant", status: "completed", content }
  begin({ ...item, content: [], status: "in_progress" })
  const of = { item_id: item.id, output_index: output.length, content_index: 0 }
  if (await speak(response, answer, (word) => send(response, "response.output_text.delta", { ...of, delta: word }))) {
    done(item)
    complete()
  }
}
