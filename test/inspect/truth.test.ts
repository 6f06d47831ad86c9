/** What the rows and details of sessions say of failures, running tools, queues, dead processes and open circuits. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import process from "node:process"
import type { SessionRow } from "../../src/inspect/contract.ts"
import type { RunningTroupe } from "./harness.ts"
import { adminToken, open, scratch } from "./harness.ts"
import { api, at, detailOf, until } from "./sessionApi.ts"

const rowOf = ({ call }: RunningTroupe, token: string, id: string) =>
  Effect.map(
    call("/inspect/api/sessions?limit=500", { token }),
    ({ json }) => json.sessions.find(({ session_id }: SessionRow) => session_id === id) as SessionRow
  )

const begin = ({ call }: RunningTroupe, token: string, id: string, prompt: string) =>
  call(`/sessions/${id}/turn`, { token, body: { prompt, wait: false } })

describe("what is said of a session", () => {
  it.live("does not forget a failed turn, also after a restart, until another one has ended", () =>
    Effect.gen(function* () {
      const dataDir = yield* scratch
      const [token, id] = yield* Effect.gen(function* () {
        const troupe = yield* open({ dataDir })
        const token = yield* troupe.mint("ours")
        const id = yield* troupe.create(token)
        yield* troupe.turn(token, id, "hello")
        assert.deepInclude((yield* rowOf(troupe, token, id)).last_outcome, {
          turn: 1,
          status: "completed",
          failure: null
        })
        yield* troupe.turn(token, id, "crash 3")
        const detail = yield* until(troupe, token, id, at("idle.awake"))
        assert.match(
          detail.why.sentence,
          /Turn 2 failed \d+ s ago \(crash\): The agent process ended with exit code 3: troupe-demo: exits as it was asked to\./
        )
        assert.isTrue(detail.processes[0]?.is_failure)
        assert.deepInclude(detail.processes[0]?.death, { code: 3, signal: null })
        assert.match(detail.processes[0]?.death?.stderr ?? "", /exits as it was asked to/)
        return [token, id] as const
      }).pipe(Effect.scoped)
      const troupe = yield* open({ dataDir })
      const row = yield* rowOf(troupe, token, id)
      assert.deepInclude(row.last_outcome, { turn: 2, status: "failed" })
      assert.strictEqual(row.last_outcome?.failure?.class, "crash")
      assert.include((yield* detailOf(troupe, token, id)).why.sentence, "Turn 2 failed")
      // A file without texts has what the kernel said, and not what the agent did.
      const { json } = yield* troupe.call(api(id, "/export"), { token })
      assert.deepInclude(json.detail.processes[0].death, { code: 3, signal: null })
      assert.match(
        json.detail.session.last_outcome.failure.message,
        /^The agent process ended with exit code 3: \[redacted/
      )
      yield* troupe.turn(token, id, "hello")
      assert.deepInclude((yield* rowOf(troupe, token, id)).last_outcome, { turn: 3, status: "completed" })
    }).pipe(Effect.scoped)
  )

  it.live("names the tool that runs, and no longer when it has ended", () =>
    Effect.gen(function* () {
      const troupe = yield* open()
      const token = yield* troupe.mint("ours")
      const id = yield* troupe.create(token, { permissions: "approve_all" })
      yield* begin(troupe, token, id, "tool sleep 300")
      const detail = yield* until(troupe, token, id, ({ why }) => why.wait.tool !== null)
      assert.match(detail.why.sentence, /^`sleep 300` has run for \d+ s\. Its agent was last heard/)
      assert.include((yield* rowOf(troupe, token, id)).wait?.tool, { title: "sleep 300", more: 0 })
      yield* troupe.call(`/sessions/${id}/interrupt`, { token, body: {} })
      const ended = yield* until(troupe, token, id, at("idle.awake"))
      assert.isNull(ended.why.wait.tool)
    }).pipe(Effect.scoped)
  )

  it.live("says the place of a queued turn, and who has the slots, of other apps only how many", () =>
    Effect.gen(function* () {
      const troupe = yield* open({ limits: { maxProcesses: 2 } })
      const [ours, theirs] = [yield* troupe.mint("ours"), yield* troupe.mint("theirs")]
      const first = yield* troupe.create(ours)
      const other = yield* troupe.create(theirs)
      yield* begin(troupe, ours, first, "hang")
      yield* begin(troupe, theirs, other, "hang")
      yield* until(troupe, ours, first, at("turning.running"))
      yield* until(troupe, theirs, other, at("turning.running"))
      const [second, third] = [yield* troupe.create(ours), yield* troupe.create(ours)]
      yield* begin(troupe, ours, second, "hello")
      yield* until(troupe, ours, second, ({ line }) => line !== null)
      yield* begin(troupe, ours, third, "hello")
      const detail = yield* until(troupe, ours, third, ({ line }) => line !== null)
      assert.deepInclude(detail.line, { place: 2, waiting: 2, size: 2, others: 1 })
      assert.deepStrictEqual(
        detail.line?.holders.map(({ session_id }) => session_id),
        [first]
      )
      assert.match(
        detail.why.sentence,
        new RegExp(
          String.raw`^Waits for a free process slot, as number 2 of 2 in line \(\d+ s so far\)\. The 2 slots are held by ${first} of ours \(for .+\), 1 session of another app\.`
        )
      )
      assert.notInclude(JSON.stringify(detail), other)
      assert.strictEqual((yield* detailOf(troupe, adminToken, third)).line?.holders.length, 2)
    }).pipe(Effect.scoped)
  )

  it.live("says by which signal a process died", () =>
    Effect.gen(function* () {
      const troupe = yield* open()
      const token = yield* troupe.mint("ours")
      const id = yield* troupe.create(token)
      yield* begin(troupe, token, id, "hang")
      const running = yield* until(troupe, token, id, at("turning.running"))
      process.kill(running.process.pid ?? 0, "SIGKILL")
      const { processes } = yield* until(troupe, token, id, ({ processes }) => processes[0]?.death != null)
      assert.deepStrictEqual(processes[0]?.death, { code: null, signal: "SIGKILL", stderr: "" })
    }).pipe(Effect.scoped)
  )

  it.live("has the first line that looks like an error of an agent that dies at its start, and its open circuit", () =>
    Effect.gen(function* () {
      const command = [process.execPath, "-e", "throw new Error('no token in the keyring')"] as const
      const troupe = yield* open({
        agents: { broken: { protocol: "acp", command } },
        limits: { restartIntensity: 100 }
      })
      const token = yield* troupe.mint("ours")
      const id = yield* troupe.create(token, { agent: "broken" })
      const { error } = yield* troupe.turn(token, id, "hello")
      assert.match(
        error,
        /^crash: .* ended with exit code 1 before it answered initialize: Error: no token in the keyring\./
      )
      const detail = yield* until(troupe, token, id, ({ processes }) => processes[0]?.death != null)
      assert.strictEqual(detail.processes[0]?.death?.code, 1)
      assert.match(detail.processes[0]?.death?.stderr ?? "", /Error: no token[\s\S]+Node\.js v/)

      for (let n = 0; n < 5; n++) yield* troupe.turn(token, id, "again")
      const idle = yield* troupe.create(token, { agent: "broken" })
      const heldUp = yield* detailOf(troupe, token, idle)
      assert.match(
        heldUp.why.sentence,
        /Its agent is not started for another \d+ s, because its starts kept failing: .*no token in the keyring/
      )
      assert.isNotNull((yield* rowOf(troupe, token, idle)).circuit)
      assert.isNull((yield* rowOf(troupe, token, yield* troupe.create(token))).circuit)

      const brokenAt = (path: string) =>
        Effect.map(troupe.call(path, { token }), ({ json }) =>
          json.agents.find(({ name }: { readonly name: string }) => name === "broken")
        )
      assert.include((yield* brokenAt("/agents")).circuit.reason, "no token")
      const shown = yield* brokenAt("/inspect/api/agents")
      assert.isAtLeast(shown.starts.failed, 5)
      assert.strictEqual(shown.starts.last_failure.class, "crash")
      const ready = yield* troupe.call("/readyz")
      assert.strictEqual(ready.status, 200)
      assert.strictEqual(ready.json.circuits[0].agent, "broken")
      const { text } = yield* troupe.call("/metrics", { token: adminToken })
      assert.include(text, 'troupe_agent_circuit_open{agent="broken"} 1')
      const check = (token: string) => troupe.call("/inspect/api/agents/broken/check", { token, body: {} })
      assert.strictEqual((yield* check(token)).status, 403)
      assert.include((yield* check(adminToken)).json.problem, "no token in the keyring")
    }).pipe(Effect.scoped)
  )
})
