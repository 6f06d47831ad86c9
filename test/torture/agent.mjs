// An ACP agent that is tortured: it writes each prompt that reaches it into a file, works for a while, and leaves
// children behind, some of which left group and session. A prompt can also make it hang, ask, or heed nothing.
import { spawn } from "node:child_process"
import { appendFileSync } from "node:fs"
import { createInterface } from "node:readline"

const { TORTURE_PROMPTS: log, TORTURE_START: startMillis = "0", TORTURE_STUBBORN: isStubborn } = process.env
const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`)
const update = (sessionId, update) => send({ method: "session/update", params: { sessionId, update } })
const wait = (millis) => new Promise((resolve) => setTimeout(resolve, millis))
if (isStubborn) {
  process.on("SIGTERM", () => {})
  setInterval(() => {}, 1_000)
}

let prompt = null
let isDeaf = false
const endTurn = (stopReason) => {
  if (prompt === null) return
  send({ id: prompt, result: { stopReason } })
  prompt = null
}

const options = [
  { optionId: "yes", name: "Yes", kind: "allow_once" },
  { optionId: "no", name: "No", kind: "reject_once" }
]

const work = async (id, { prompt: blocks, sessionId }) => {
  const text = blocks.map((block) => block.text ?? "").join("")
  // Before anybody can know that it has the prompt, and interrupt it.
  if (text.startsWith("deaf")) isDeaf = true
  appendFileSync(log, `${text}\n`)
  appendFileSync(`${log}.takers`, `${process.pid} ${text}\n`)
  prompt = id
  const [, nth] = / (\d+)$/.exec(text) ?? []
  const n = Number(nth)
  if (n % 5 === 0) spawn("sleep", ["300"], { stdio: "ignore" }).unref()
  if (n % 7 === 0) spawn("setsid", ["sleep", "300"], { stdio: "ignore", detached: true }).unref()
  const talks = text.startsWith("talk")
  const words = text.startsWith("turn") ? 1 + (n % 9) : talks ? 100 : 1
  for (let word = 0; word < words; word++) {
    if (prompt !== id) return
    update(sessionId, {
      sessionUpdate: "agent_message_chunk",
      content: { type: "text", text: `word ${word} of ${n} ` }
    })
    await wait(talks ? 80 : n % 40)
  }
  if (text.startsWith("dies") || (text.startsWith("turn") && n % 31 === 0)) process.exit(3)
  if (text.startsWith("hang") || text.startsWith("deaf")) return
  if (text.startsWith("ask")) {
    const toolCall = { toolCallId: `call-${n}`, title: "touch a", kind: "execute", rawInput: { command: "touch a" } }
    return send({ id: `ask-${n}`, method: "session/request_permission", params: { sessionId, toolCall, options } })
  }
  if (prompt === id) endTurn("end_turn")
}

createInterface({ input: process.stdin }).on("line", async (line) => {
  const { id, method, params } = JSON.parse(line)
  const answer = (result) => send({ id, result })
  switch (method) {
    case "initialize":
      await wait(Number(startMillis))
      return answer({ protocolVersion: 1, agentCapabilities: { loadSession: true }, authMethods: [] })
    case "session/new":
      return answer({ sessionId: `thread-${process.pid}` })
    case "session/load":
      return answer({})
    case "session/prompt":
      return work(id, params)
    case "session/cancel":
      return isDeaf ? undefined : endTurn("cancelled")
    default:
      // The answer to a question of its own ends the turn.
      if (method === undefined) endTurn("end_turn")
      else if (id !== undefined) answer({})
  }
})
