/** Sessions in every state that their agents can bring them into, and what must hold of them in the end. */
import { assert } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { rowsOf } from "./ledgerRows.ts"
import { processesOf } from "./processes.ts"
import type { Server } from "./Server.ts"

interface Case {
  readonly state: string
  readonly agent: string
  readonly prompts: ReadonlyArray<string>
  /** What is asked after the prompts were accepted. */
  readonly next?: "interrupt" | "close"
}

/** In the order in which they are begun: the last finds no slot. The numbers are of prompts, each of which is unique. */
const cases: ReadonlyArray<Case> = [
  { state: "idle.asleep", agent: "tortured", prompts: [] },
  { state: "idle.awake", agent: "tortured", prompts: ["turn 1"] },
  { state: "turning.running", agent: "tortured", prompts: ["hang 5"] },
  { state: "turning.running", agent: "tortured", prompts: ["hang 7", "turn 2"] },
  { state: "turning.asking", agent: "tortured", prompts: ["ask 14"] },
  { state: "turning.interrupting", agent: "tortured", prompts: ["deaf 35"], next: "interrupt" },
  { state: "retiring.asking", agent: "stubborn", prompts: ["turn 4"], next: "close" },
  { state: "turning.starting", agent: "slow", prompts: ["turn 6"] },
  { state: "turning.queued", agent: "tortured", prompts: ["turn 8"] }
]
/** How many processes they need: the last finds no slot. */
export const processes = cases.filter(({ state }) => state !== "idle.asleep" && state !== "turning.queued").length

const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

export const sessionsOf = (server: Server) => {
  const { directory } = server
  const rows = (text: string) => rowsOf(directory, text)

  const waitFor = async (what: string, isThere: () => unknown) => {
    for (const until = Date.now() + 60_000; !(await isThere()); await pause(50)) {
      if (Date.now() > until)
        assert.fail(`${what} did not come: ${JSON.stringify(rows("SELECT id, substate FROM sessions"))}`)
    }
  }

  const substateOf = (id: string) =>
    rows("SELECT id, substate FROM sessions").find((row) => row["id"] === id)?.["substate"]

  /** Brings a session into each state, and gives their ids in the order of the cases. */
  const begin = async (): Promise<ReadonlyArray<string>> => {
    const ids: Array<string> = []
    for (const { agent, next, prompts, state } of cases) {
      const created = await server.call("POST", "/sessions", { agent, cwd: directory, permissions: "ask" })
      const id = String(created?.json.session_id)
      ids.push(id)
      for (const prompt of prompts) {
        const answer = await server.call("POST", `/sessions/${id}/turn`, { prompt, queue: true, wait: false })
        assert.strictEqual(answer?.status, 202, JSON.stringify(answer))
      }
      if (next === "interrupt") {
        await waitFor("the running turn", () => substateOf(id) === "turning.running" && handed().includes(prompts[0]!))
        void server.call("POST", `/sessions/${id}/interrupt`)
      }
      if (next === "close") {
        await waitFor("the end of the turn", () => substateOf(id) === "idle.awake")
        void server.call("DELETE", `/sessions/${id}`)
      }
      // Those that last only seconds are looked at in the end.
      if (!state.startsWith("turning.starting")) await waitFor(state, () => substateOf(id) === state)
    }
    return ids
  }

  const handed = () => readFileSync(server.prompts, "utf8").split("\n").filter(Boolean)

  /** Every accepted turn comes to its one end, the sessions go on, and nothing is left in the end. */
  const holds = async (ids: ReadonlyArray<string>) => {
    const isOpen = (id: string) => substateOf(id) !== "closed"
    // Nobody answers, and nothing ends what hangs: each is interrupted.
    for (const id of ids.filter(isOpen)) await server.call("POST", `/sessions/${id}/interrupt`)
    const openTurns = () => rows("SELECT session, idx FROM turns WHERE status IN ('queued', 'running')")
    await waitFor("the end of every turn", async () => {
      for (const { session } of openTurns()) await server.call("POST", `/sessions/${session}/interrupt`)
      return openTurns().length === 0
    })
    for (const [nth, id] of ids.entries()) {
      if (!isOpen(id)) continue
      const prompt = `turn ${100 + nth}`
      let answer = await server.call("POST", `/sessions/${id}/turn`, { prompt, queue: true, timeout_s: 60 })
      // An interrupt that nobody heeds has the process replaced first.
      if (answer?.json.ok !== true) {
        answer = await server.call("POST", `/sessions/${id}/turn`, { prompt: `turn ${200 + nth}`, queue: true })
      }
      assert.strictEqual(answer?.json.stop_reason, "end_turn", `${cases[nth]?.state}: ${JSON.stringify(answer)}`)
    }
    for (const id of ids) await server.call("DELETE", `/sessions/${id}`)
    const prompts = handed()
    assert.deepStrictEqual(prompts, [...new Set(prompts)], "a prompt reached an agent twice")
    assert.deepStrictEqual(
      rows(
        "SELECT session FROM events GROUP BY session HAVING max(coalesce(last, seq)) <> sum(coalesce(last, seq) - seq + 1)"
      ),
      []
    )
    assert.deepStrictEqual(rows("SELECT id FROM leases"), [])
    assert.deepStrictEqual(processesOf(server.run), [])
  }

  return { begin, holds }
}

export type Sessions = ReturnType<typeof sessionsOf>
