/**
 * An MCP server over stdio with one tool, `poke`, that leaves traces: `mcpServer.ts FILE [KIND]` makes `FILE.started` when
 * it is started, and `FILE.called` when its tool is called. With the kind `read-only` it says of its tool that it only
 * reads; with `asks` its tool asks the user for a colour, and answers with what came of that.
 */
import { writeFileSync } from "node:fs"
import { createInterface } from "node:readline"
import { resultOf } from "./mcpResults.ts"
import type { McpRequest } from "./mcpResults.ts"

const [, , file = "", kind] = process.argv
writeFileSync(`${file}.started`, "")

const write = (message: object) => process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`)

const form = {
  message: "Which colour?",
  requestedSchema: {
    type: "object",
    properties: { colour: { type: "string", title: "Colour" } },
    required: ["colour"]
  }
}

/** The calls that wait for the user, by the id of the question. */
const waiting = new Map<unknown, unknown>()

createInterface({ input: process.stdin }).on("line", (line) => {
  const request = JSON.parse(line) as McpRequest & { readonly result?: unknown }
  const { id, method } = request
  if (id === undefined) return
  if (method === undefined) {
    const call = waiting.get(id)
    waiting.delete(id)
    if (call !== undefined) {
      write({ id: call, result: { content: [{ type: "text", text: JSON.stringify(request.result ?? null) }] } })
    }
    return
  }
  if (method === "tools/call") writeFileSync(`${file}.called`, "")
  if (method === "tools/call" && kind === "asks") {
    const question = `question-${String(id)}`
    waiting.set(question, id)
    write({ id: question, method: "elicitation/create", params: form })
    return
  }
  write({ id, result: resultOf(request, kind === "read-only" ? { readOnlyHint: true } : {}) })
})
