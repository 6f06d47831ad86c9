/** One session over the dashboard's API: a real server, real processes of the demo agent, real process deaths. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { join } from "node:path"
import type { Exported, Processes, Turns } from "../../src/inspect/sessionContract.ts"
import { open } from "./harness.ts"
import { api, at, detailOf, stepsOf, until, wireOf } from "./sessionApi.ts"

const fixtures = join(import.meta.dirname, "../fixtures")
/** Replays the output of a real agent, which reported the cost of each of its two turns. */
const replayed = [
  process.execPath,
  join(fixtures, "agents/acp-replay.ts"),
  join(fixtures, "traces/acp/claude-basic.ndjson")
] as const

describe("the dashboard's API of one session", () => {
  it.live(
    "shows the cost that the agent reported, also in an export without texts, and none where no agent reported it",
    () =>
      Effect.gen(function* () {
        const troupe = yield* open({ agents: { costed: { protocol: "acp", command: replayed } } })
        const { call, create, mint, turn } = troupe
        const token = yield* mint("ours")
        const id = yield* create(token, { agent: "costed" })
        assert.isNull((yield* detailOf(troupe, token, id)).session.cost)
        for (const [nth, amount] of [0.0003248, 0.001138].entries()) {
          assert.isTrue((yield* turn(token, id, `turn ${nth}`)).completed)
          assert.deepStrictEqual((yield* detailOf(troupe, token, id)).session.cost, { amount, currency: "USD" })
        }
        const { text } = yield* call(api(id, "/export"), { token })
        const exported = JSON.parse(text) as Exported
        assert.isFalse(exported.texts)
        assert.deepStrictEqual(exported.detail.session.cost, { amount: 0.001138, currency: "USD" })

        const silent = yield* create(token)
        yield* turn(token, silent, "hello")
        assert.isNull((yield* detailOf(troupe, token, silent)).session.cost)
      }).pipe(Effect.scoped)
  )

  it.live("has all turns by pages, with their costs and the beginning of each prompt", () =>
    Effect.gen(function* () {
      const troupe = yield* open({ agents: { costed: { protocol: "acp", command: replayed } } })
      const token = yield* troupe.mint("ours")
      const id = yield* troupe.create(token, { agent: "costed" })
      for (const prompt of ["x".repeat(1_000), "second"]) yield* troupe.turn(token, id, prompt)
      const page = (query: string) =>
        Effect.map(troupe.call(api(id, `/turns${query}`), { token }), ({ json }) => json as Turns)
      const { next, turns } = yield* page("?limit=1")
      assert.strictEqual(next, 1)
      assert.containSubset(turns, [
        { index: 1, status: "completed", prompt: `${"x".repeat(300)}…`, cost: { amount: 0.0003248, currency: "USD" } }
      ])
      const rest = yield* page("?after=1")
      assert.deepStrictEqual(
        [rest.next, rest.turns.map(({ index, prompt }) => `${index} ${prompt}`)],
        [null, ["2 second"]]
      )
      const other = yield* troupe.mint("theirs")
      assert.strictEqual((yield* troupe.call(api(id, "/turns"), { token: other })).status, 404)
    }).pipe(Effect.scoped)
  )

  it.live(
    "says of a running session what it waits for, when its agent was last heard, and which processes it has",
    () =>
      Effect.gen(function* () {
        const troupe = yield* open()
        const token = yield* troupe.mint("ours")
        const id = yield* troupe.create(token, { permissions: "approve_all", meta: { ticket: 7 } })
        yield* Effect.forkScoped(troupe.turn(token, id, "tool sleep 60"))
        yield* until(troupe, token, id, at("turning.running"))
        const tree = Effect.map(troupe.call(api(id, "/processes"), { token }), ({ json }) => json as Processes)
        let processes = yield* tree
        for (let n = 0; n < 200 && processes.tree.length < 2; n++) {
          yield* Effect.sleep("50 millis")
          processes = yield* tree
        }
        const detail = yield* detailOf(troupe, token, id)
        assert.match(detail.why.sentence, /^`sleep 60` has run for \d+ s\. Its agent was last heard /)
        assert.containSubset(detail.why.wait, { who: "agent", next: { timer: "turnWithin", to: "retiring.asking" } })
        assert.includeMembers([...detail.why.awaited], ["turn.ended", "interrupt.requested", "after turnWithin"])
        assert.isAtLeast(detail.why.last_byte_at ?? 0, detail.session.created_at)
        assert.containSubset(detail.session, { meta: { ticket: 7 }, permissions: "approve_all", turns: 1 })
        assert.containSubset(detail.budget, { intensity: 3, left: 3, deaths: [], parked: null })
        assert.deepStrictEqual(detail.snapshot.value, { turning: "running" })
        assert.strictEqual(detail.process.state, "up")
        assert.strictEqual(detail.processes.length, 1)
        assert.containSubset(detail.turns, [{ index: 1, status: "running", prompt: "tool sleep 60" }])

        const agent = processes.tree.find(({ pid }) => pid === detail.process.pid)
        assert.match(agent?.command ?? "", /demo/)
        assert.isAbove(agent?.rss_bytes ?? 0, 1_000_000)
        assert.isAtLeast(agent?.started_at ?? 0, detail.session.created_at - 5)
        assert.isTrue(processes.tree.some(({ command }) => /sleep 60/.test(command)))

        const interrupted = yield* troupe.call(api(id, "/interrupt"), { token, body: {} })
        assert.deepStrictEqual(interrupted.json, { ok: true, note: "The turn was interrupted." })
        const again = yield* troupe.call(api(id, "/interrupt"), { token, body: {} })
        assert.deepStrictEqual(again.json, { ok: true, note: "Nothing was running." })
        const after = yield* detailOf(troupe, token, id)
        assert.containSubset(after.turns, [{ status: "interrupted" }])
        assert.deepStrictEqual(after.owed, [])
      }).pipe(Effect.scoped)
  )

  it.live("shows the death of a killed process: its step, the line behind it, the budget, the process", () =>
    Effect.gen(function* () {
      const troupe = yield* open({ limits: { hibernateAfterMillis: 600_000 } })
      const token = yield* troupe.mint("ours")
      const id = yield* troupe.create(token)
      yield* troupe.turn(token, id, "hello")
      const { process: alive } = yield* detailOf(troupe, token, id)
      process.kill(alive.pid ?? 0, "SIGKILL")
      const detail = yield* until(troupe, token, id, (now) => now.processes.length === 2 && at("idle.awake")(now))
      assert.strictEqual(detail.budget.deaths.length, 1)
      assert.strictEqual(detail.budget.left, 2)
      assert.strictEqual(detail.session.restarts, 1)
      assert.strictEqual(detail.processes[0]?.exit, "The agent process was killed by SIGKILL.")
      assert.isNotNull(detail.processes[0]?.ended_at)
      assert.containSubset(detail.processes[1], { generation: 2, ended_at: null, exit: null })

      const steps = yield* stepsOf(troupe, token, id)
      const ended = steps.find(({ event }) => event.type === "turn.ended")
      const ready = steps.find(({ event }) => event.type === "process.ready")
      const died = steps.find(({ event }) => event.type === "process.exited")
      assert.isDefined(ended ?? undefined)
      assert.strictEqual(JSON.parse((yield* wireOf(troupe, token, id, ended!)).line).result.stopReason, "end_turn")
      assert.include((yield* wireOf(troupe, token, id, ready!)).line, "sessionId")
      const exit = yield* wireOf(troupe, token, id, died!)
      assert.containSubset(exit, { ok: true, seq: died!.seq, truncated: false })
      assert.match(exit.line, /^signal SIGKILL/)
      assert.containSubset(yield* wireOf(troupe, token, id, steps[0]!), { ok: false, error: "no_wire" })
      assert.deepStrictEqual(
        steps.map(({ seq }) => seq),
        steps.map((_, nth) => nth + 1)
      )
    }).pipe(Effect.scoped)
  )

  it.live("shows a sleeping and a closed session completely, without a process", () =>
    Effect.gen(function* () {
      const troupe = yield* open({ limits: { hibernateAfterMillis: 100 } })
      const token = yield* troupe.mint("ours")
      const id = yield* troupe.create(token)
      yield* troupe.turn(token, id, "hello")
      const asleep = yield* until(troupe, token, id, at("idle.asleep"))
      assert.match(asleep.why.sentence, /No process runs meanwhile; the next turn starts one\.$/)
      assert.deepStrictEqual([asleep.why.last_byte_at, asleep.process.pid, asleep.timers], [null, null, []])
      assert.match(asleep.processes[0]?.exit ?? "", /^It was put to sleep/)
      assert.deepStrictEqual((yield* troupe.call(api(id, "/processes"), { token })).json, {
        ok: true,
        tree: [],
        samples: [],
        stderr: "",
        malformed_lines: 0,
        first_malformed_line: null
      })

      const closed = yield* troupe.call(api(id, "/close"), { token, body: {} })
      assert.deepStrictEqual(closed.json, { ok: true, note: "The session is closed." })
      const again = yield* troupe.call(api(id, "/close"), { token, body: {} })
      assert.deepStrictEqual(again.json, { ok: true, note: "The session was closed already." })
      const detail = yield* detailOf(troupe, token, id)
      assert.match(detail.why.sentence, /^Closed \d+ s ago: closed by ours\. Turn 1 was completed \d+ s ago\.$/)
      assert.deepStrictEqual(detail.why.awaited, [])
      assert.isNull(detail.session.wait)
      const steps = yield* stepsOf(troupe, token, id)
      assert.strictEqual(steps.at(-1)?.to, "closed")
      assert.strictEqual(steps.length, detail.last_step)
      const events = yield* troupe.call(api(id, "/events?limit=1000"), { token })
      assert.strictEqual(events.json.events.length, detail.last_event)
      assert.isNull(events.json.next)
    }).pipe(Effect.scoped)
  )

  it.live("gives steps and events in pages, and refuses an invalid page", () =>
    Effect.gen(function* () {
      const troupe = yield* open()
      const token = yield* troupe.mint("ours")
      const id = yield* troupe.create(token)
      yield* troupe.turn(token, id, "slow 5 0")
      for (const what of ["steps", "events"] as const) {
        const all = (yield* troupe.call(api(id, `/${what}`), { token })).json[what] as ReadonlyArray<{ seq: number }>
        assert.isAbove(all.length, 3)
        const paged: Array<unknown> = []
        let after: number | null = 0
        while (after !== null) {
          const { json } = yield* troupe.call(api(id, `/${what}?after=${after}&limit=2`), { token })
          assert.isAtMost(json[what].length, 2)
          paged.push(...json[what])
          after = json.next as number | null
        }
        assert.deepStrictEqual(paged, [...all])
        for (const query of ["limit=0", "limit=1001", "after=-1", "limit=x"]) {
          const { json, status } = yield* troupe.call(api(id, `/${what}?${query}`), { token })
          assert.deepStrictEqual([status, json.error], [400, "invalid_request"], query)
        }
      }
    }).pipe(Effect.scoped)
  )
})
