/**
 * An agent without a model: it speaks just enough of the Agent Client Protocol to be prompted, and answers at once.
 *
 * The prompt `chunks COUNT SIZE` streams that many chunks of text first, `updates COUNT SIZE` that many updates of a tool
 * call, which can't be merged, `slowly COUNT SIZE MILLIS` that many chunks with a pause before each; any other prompt gets
 * one short chunk. Both sides of the benchmark prompt this program.
 */
import { once } from "node:events"
import { createInterface } from "node:readline"
import { setTimeout as sleep } from "node:timers/promises"

const session = "null"
/** Written at a time, before the pipe has to drain. */
const blockCharacters = 64 * 1024

const line = (message: object) => `${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`
const update = (update: object) => line({ method: "session/update", params: { sessionId: session, update } })
const chunk = (text: string) =>
  update({ sessionUpdate: "agent_message_chunk", content: { type: "text", text }, messageId: "m" })
const toolUpdate = (text: string) =>
  update({
    sessionUpdate: "tool_call_update",
    toolCallId: "t",
    status: "in_progress",
    content: [{ type: "content", content: { type: "text", text } }]
  })
const answer = chunk("done")

const initialized = {
  protocolVersion: 1,
  agentCapabilities: { loadSession: false, promptCapabilities: {}, sessionCapabilities: { resume: {} } },
  // Known to end a turn with its reply: of an agent that is not, each end is held for 50 ms (`agent/acp/HeldEnd.ts`).
  agentInfo: { name: "troupe-demo", version: "1" },
  authMethods: []
}

let random = 1

/** Texts differ, as those of a model do: what is stored of them would be less if they were the same. */
const words = (size: number) =>
  Array.from({ length: size }, () => {
    random = (random * 48_271) % 2_147_483_647
    return " abcdefghijklmnopqrstuvwxyz"[random % 27]
  }).join("")

/** A block of lines is made once, and written again and again. */
const flood = async (lineOf: (text: string) => string, size: number, count: number) => {
  const lines: Array<string> = []
  for (let length = 0; length < blockCharacters; length += lines.at(-1)!.length) lines.push(lineOf(words(size)))
  const block = lines.join("")
  for (let left = count; left > 0; left -= lines.length) {
    const isWhole = left >= lines.length
    if (!process.stdout.write(isWhole ? block : lines.slice(0, left).join(""))) await once(process.stdout, "drain")
  }
}

const answerPrompt = async (id: number, prompt: string) => {
  const [kind, count, size, millis] = prompt.split(" ")
  if (kind === "chunks") await flood(chunk, Number(size), Number(count))
  if (kind === "updates") await flood(toolUpdate, Number(size), Number(count))
  for (let left = kind === "slowly" ? Number(count) : 0; left > 0; left--) {
    await sleep(Number(millis))
    process.stdout.write(chunk(words(Number(size))))
  }
  process.stdout.write(answer + line({ id, result: { stopReason: "end_turn" } }))
}

interface Request {
  readonly id?: number
  readonly method?: string
  readonly params?: { readonly prompt?: ReadonlyArray<{ readonly text?: string }> }
}

const onRequest = ({ id, method, params }: Request): void => {
  if (id === undefined) return
  if (method === "session/prompt") return void answerPrompt(id, params?.prompt?.[0]?.text ?? "")
  const result = method === "initialize" ? initialized : method === "session/new" ? { sessionId: session } : {}
  process.stdout.write(line({ id, result }))
}

createInterface({ input: process.stdin, crlfDelay: Infinity })
  .on("line", (text) => onRequest(JSON.parse(text) as Request))
  .on("close", () => process.exit(0))
