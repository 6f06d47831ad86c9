/** `node agent.ts`: an agent of the Agent Client Protocol that says 20 characters every 20 ms until it is cancelled. */
import process from "node:process"
import { createInterface } from "node:readline"

const everyMillis = 20
const words = "the quick brown fox jumps over the lazy dog and then goes on to mend the tests of all who asked for it "
/** So many pieces to a paragraph. */
const paragraph = 20

const answers: Readonly<Record<string, object>> = {
  initialize: { protocolVersion: 1, agentCapabilities: {}, authMethods: [] },
  "session/new": { sessionId: "the-only-one" }
}

const write = (message: object) => process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`)

const say = (text: string) =>
  write({
    method: "session/update",
    params: {
      sessionId: "the-only-one",
      update: { sessionUpdate: "agent_message_chunk", content: { type: "text", text } }
    }
  })

let talk: { readonly turn: number; readonly timer: NodeJS.Timeout } | undefined

const stop = (stopReason: string) => {
  if (talk === undefined) return
  clearInterval(talk.timer)
  write({ id: talk.turn, result: { stopReason } })
  talk = undefined
}

for await (const line of createInterface({ input: process.stdin })) {
  const { id, method } = JSON.parse(line) as { readonly id?: number; readonly method: string }
  if (method === "session/cancel") stop("cancelled")
  else if (method === "session/prompt" && id !== undefined) {
    const began = performance.now()
    let said = 0
    const timer = setInterval(() => {
      // By the clock: an interval that comes late makes none of them fewer.
      for (; said * everyMillis < performance.now() - began; said++) {
        const at = (said * 20) % words.length
        say(said % paragraph === paragraph - 1 ? "and so on it goes.\n\n" : `${words}${words}`.slice(at, at + 20))
      }
    }, everyMillis)
    talk = { turn: id, timer }
  } else if (id !== undefined) write({ id, result: answers[method] ?? {} })
}
