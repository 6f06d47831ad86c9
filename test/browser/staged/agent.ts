/**
 * `node agent.ts <deaf|busy|silent>`: an agent of the Agent Client Protocol that does not do what it should. `deaf` reads and
 * answers nothing; `busy` takes a prompt and then computes for ever; `silent` runs a tool and then says nothing more.
 */
import process from "node:process"
import { createInterface } from "node:readline"

const [, , how] = process.argv

const answers: Readonly<Record<string, object>> = {
  initialize: { protocolVersion: 1, agentCapabilities: {}, authMethods: [] },
  "session/new": { sessionId: "the-only-one" }
}

const say = (message: object) => process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`)

/** For ever, without a pause in which it could read. */
const compute = () => {
  let sum = 0
  while (sum >= 0) sum++
}

const tool = (update: object) =>
  say({ method: "session/update", params: { sessionId: "the-only-one", update: { toolCallId: "call-1", ...update } } })

for await (const line of createInterface({ input: process.stdin })) {
  if (how === "deaf") continue
  const { id, method } = JSON.parse(line) as { readonly id?: number; readonly method: string }
  if (method === "session/prompt" && how === "busy") compute()
  if (method === "session/prompt") {
    tool({ sessionUpdate: "tool_call", title: "pytest -q", kind: "execute", status: "in_progress" })
    tool({ sessionUpdate: "tool_call_update", status: "completed" })
  } else if (id !== undefined) say({ id, result: answers[method] ?? {} })
}
