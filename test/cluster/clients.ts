/** Apps that have turns one after the other, and what must be true of what they were answered. */
import { assert } from "@effect/vitest"
import { tmpdir } from "node:os"
import { until } from "./nodes.ts"
import type { Answer, ClusterNode } from "./nodes.ts"

interface Asked {
  readonly key: string
  readonly session: string
  readonly answer: Answer
}

export const sessionOf = async (node: ClusterNode) => {
  const { json } = await node.call("POST", "/sessions", { agent: "demo", cwd: tmpdir() })
  return String(json["session_id"])
}

/** Turns one after the other, each under its key until it is answered, as apps do it. */
const client = async (node: ClusterNode, session: string, asked: Array<Asked>, isOver: () => boolean) => {
  while (!isOver()) {
    const key = crypto.randomUUID()
    let answer: Answer | null = null
    while (answer === null || answer.status === 503) {
      answer = await node.call("POST", `/sessions/${session}/turn`, { prompt: `say ${key}` }, key).catch(() => null)
      if (answer === null || answer.status === 503) await new Promise((resolve) => setTimeout(resolve, 200))
    }
    asked.push({ key, session, answer })
  }
}

/** Two sessions of each of two nodes, whose apps ask the other node. */
export const startClients = async (first: ClusterNode, second: ClusterNode) => {
  const nodes = [first, second]
  const sessions = await Promise.all([...nodes, ...nodes].map(sessionOf))
  const asked: Array<Asked> = []
  let isOver = false
  const clients = sessions.map((session, nth) => client(nodes[(nth + 1) % 2]!, session, asked, () => isOver))
  return {
    /** Waits for so many more answers. */
    more: (count: number) => {
      const before = asked.length
      return until(`${count} more turns`, () => asked.length >= before + count)
    },
    /** Ends them, and looks at all that they were answered. */
    endKept: async () => {
      isOver = true
      await Promise.all(clients)
      await assertKept(nodes, asked)
    }
  }
}

/** Each that was answered is stored as it was answered, its key has no other turn, and its session none besides. */
const assertKept = async (nodes: ReadonlyArray<ClusterNode>, asked: ReadonlyArray<Asked>): Promise<void> => {
  const [first, ...others] = nodes
  const last = others.at(-1) ?? first!
  for (const { answer, key, session } of asked) {
    assert.strictEqual(answer.status, 200, JSON.stringify(answer.json))
    const index = Number(answer.json["turn_index"])
    const stored = await first!.call("GET", `/sessions/${session}/turns/${index}`)
    assert.strictEqual(stored.json["final_text"], answer.json["final_text"], JSON.stringify(answer.json))
    const again = await last.call("POST", `/sessions/${session}/turn`, { prompt: `say ${key}` }, key)
    assert.strictEqual(again.json["turn_index"], index)
  }
  const counts = new Map<string, number>()
  for (const { session } of asked) counts.set(session, (counts.get(session) ?? 0) + 1)
  for (const [session, count] of counts) {
    assert.strictEqual((await last.call("GET", `/sessions/${session}`)).json["turn_count"], count)
  }
}
