/**
 * An MCP server over stdio with one tool, `poke`, that leaves traces: `mcpServer.ts FILE` makes `FILE.started` when it is
 * started, and `FILE.called` when its tool is called.
 */
import { writeFileSync } from "node:fs"
import { createInterface } from "node:readline"

const [, , file = ""] = process.argv
writeFileSync(`${file}.started`, "")

interface Request {
  readonly id?: unknown
  readonly method?: string
  readonly params?: { readonly protocolVersion?: string }
}

const resultOf = ({ method, params }: Request) => {
  switch (method) {
    case "initialize":
      return {
        protocolVersion: params?.protocolVersion,
        capabilities: { tools: {} },
        serverInfo: { name: "traces", version: "1.0.0" }
      }
    case "tools/list":
      return {
        tools: [{ name: "poke", description: "Leaves a trace.", inputSchema: { type: "object", properties: {} } }]
      }
    case "tools/call":
      writeFileSync(`${file}.called`, "")
      return { content: [{ type: "text", text: "poked" }] }
    default:
      return {}
  }
}

createInterface({ input: process.stdin }).on("line", (line) => {
  const request = JSON.parse(line) as Request
  if (request.id === undefined) return
  process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", id: request.id, result: resultOf(request) })}\n`)
})
