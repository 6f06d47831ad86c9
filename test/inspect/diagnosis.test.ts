/** The verdict on a session whose turn runs: by its processes as the kernel has them, made up and real. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import process from "node:process"
import { diagnosisOf } from "../../src/inspect/detail/diagnosis.ts"
import type { Examination } from "../../src/inspect/detail/diagnosis.ts"
import type { Diagnosis } from "../../src/inspect/sessionContract.ts"
import type { MeasuredProcess } from "../../src/services/Inspection.ts"
import { detailOf as sampleDetail, rowOf } from "../cli/top.session.ts"
import type { RunningTroupe } from "./harness.ts"
import { open } from "./harness.ts"
import { api, at, until } from "./sessionApi.ts"

const now = 1_700_000_000_000
const agent = 4711

const one = (given: Partial<MeasuredProcess> = {}): MeasuredProcess => ({
  pid: agent,
  ppid: 1,
  startTime: "1",
  command: "node agent.js",
  rssBytes: 50 * 1_048_576,
  startedAt: now,
  state: "S",
  cpuSeconds: 1,
  waitsIn: "do_epoll_wait",
  blockedBy: null,
  connections: [],
  cpu: 0,
  ...given
})
const child = (given: Partial<MeasuredProcess> = {}) => one({ pid: 5000, ppid: agent, command: "pytest -q", ...given })

interface Given {
  readonly substate?: string
  readonly tool?: string
  /** In seconds. */
  readonly silent?: number
  readonly usual?: number
}

const diagnosed = (
  processes: ReadonlyArray<MeasuredProcess>,
  { silent = 3, substate = "turning.running", tool, usual }: Given = {}
) => {
  const row = rowOf("ses_1", substate)
  const wait = { ...row.wait!, tool: tool === undefined ? null : { title: tool, since: now / 1_000 - 9, more: 0 } }
  const detail = sampleDetail({ ...row, wait })
  const examination: Examination = {
    detail: { ...detail, why: { ...detail.why, sentence: "Waits for the end of turn 3." } },
    session: { heardAt: now - silent * 1_000, usualSilence: usual === undefined ? null : usual * 1_000 },
    processes,
    stderr: "first\nlast words\n",
    bounds: { leastSilenceMillis: 60_000, unknownSilenceMillis: 300_000 },
    now
  }
  return diagnosisOf(examination)
}

describe("the verdict", () => {
  it.each<readonly [string, ReadonlyArray<MeasuredProcess>, Given, Diagnosis["kind"], RegExp]>([
    [
      "a stopped agent",
      [one({ state: "T" })],
      {},
      "stopped",
      /^Its agent's process, 4711, is stopped \(state T, as by SIGSTOP\): .* Run: kill -CONT 4711$/
    ],
    [
      "a stopped tool",
      [one(), child({ state: "T" })],
      { tool: "pytest -q" },
      "stopped",
      /^Process 5000 \(`pytest -q`\) is stopped/
    ],
    [
      "a busy loop",
      [one({ state: "R", cpu: 0.99 })],
      { silent: 180, usual: 4 },
      "loops",
      /^Its agent uses 99 % of a processor and says nothing: it looks like a busy loop\. It was last heard 3 min ago; 99 of 100 of its silences were not longer than 4 s, so this one is long\.$/
    ],
    [
      "work",
      [one({ state: "R", cpu: 0.99 })],
      { usual: 4 },
      "works",
      /^Its agent is at work: it uses 99 % of a processor\./
    ],
    [
      "its model",
      [one({ connections: ["10.0.0.1:443"] })],
      { usual: 40 },
      "waits",
      /^Its agent sleeps with an open connection to 10\.0\.0\.1:443: it waits for an answer from there, as of its model\. It was last heard 3 s ago; 99 of 100/
    ],
    [
      "a long wait for its model",
      [one({ connections: ["10.0.0.1:443"] })],
      { silent: 301 },
      "silent",
      /as of its model\. It was last heard 5 min 1 s ago, which is long\.$/
    ],
    [
      "nothing to be seen",
      [one()],
      {},
      "waits",
      /has no connection: it waits for nothing that can be seen from outside/
    ],
    [
      "a child",
      [one({ waitsIn: "do_wait" }), child()],
      {},
      "waits",
      /^Its agent waits for its child to end, process 5000/
    ],
    [
      "a lock",
      [one(), child({ blockedBy: 99 })],
      {},
      "blocked",
      /^Process 5000 \(`pytest -q`\) waits for the lock of a file that process 99 has, which is none of the session's\.$/
    ],
    [
      "a device",
      [one(), child({ state: "D", waitsIn: "nfs_wait" })],
      {},
      "device",
      /waits in the kernel for a device \(in nfs_wait\)/
    ],
    [
      "a tool at work",
      [one(), child({ cpu: 1.9, state: "R" })],
      { tool: "pytest -q", silent: 500 },
      "tool_works",
      /^`pytest -q` is at work: its processes use 1\.9 processors, most of it process 5000/
    ],
    [
      "a tool that waits",
      [one(), child()],
      { tool: "sleep 300" },
      "tool_waits",
      /^`sleep 300` runs, and its process uses no processor: it waits, such as for a timer/
    ],
    ["a tool elsewhere", [one()], { tool: "search" }, "tool_waits", /^`search` has no process here/],
    ["a person is asked", [one()], { substate: "turning.asking" }, "none", /^Waits for the end/]
  ])("%s", (_, processes, given, kind, verdict) => {
    const diagnosis = diagnosed(processes, given)
    assert.strictEqual(diagnosis.kind, kind)
    assert.match(diagnosis.verdict, verdict)
  })

  it("is text for an issue, with the processes and the last line of stderr, and without the directory", () => {
    const { markdown } = diagnosed([one(), child({ cpu: 0.5, command: "pytest\n```\n-q" })], { tool: "pytest -q" })
    assert.match(markdown, /^# ses_1\n\n`pytest -q` is at work/)
    assert.include(markdown, "- Last line of stderr: last words\n")
    assert.match(markdown, /^ {4}5000 +4711 +S +50 % +50 MiB +pytest ``` -q +any of what it watches$/m)
    assert.notInclude(markdown, "/work")
  })
})

const whyOf = ({ call }: RunningTroupe, token: string, id: string) =>
  Effect.map(call(api(id, "/why"), { token }), ({ json }) => json as Diagnosis)

const untilKind = (troupe: RunningTroupe, token: string, id: string, kind: Diagnosis["kind"]) =>
  Effect.gen(function* () {
    for (let n = 0; n < 30; n++) {
      const diagnosis = yield* whyOf(troupe, token, id)
      if (diagnosis.kind === kind) return diagnosis
    }
    return yield* Effect.die(new Error(`it is ${JSON.stringify(yield* whyOf(troupe, token, id))}`))
  })

/** The samples of its processes, once one has the processor time of a busy loop: they are taken a second apart. */
const untilBusy = (troupe: RunningTroupe, token: string, id: string) =>
  Effect.gen(function* () {
    for (;;) {
      const { json } = yield* troupe.call(api(id, "/processes"), { token })
      const samples = json.samples as ReadonlyArray<{ readonly cpu: number }>
      if (samples.some(({ cpu }) => cpu > 0.1)) return samples
      yield* Effect.sleep("100 millis")
    }
  })

describe("a real session", () => {
  it.live("that is stopped, waits, or works is told apart, and sampled while somebody looks", () =>
    Effect.gen(function* () {
      const troupe = yield* open()
      const token = yield* troupe.mint("ours")
      const id = yield* troupe.create(token, { permissions: "approve_all" })
      assert.strictEqual((yield* whyOf(troupe, token, id)).kind, "none")
      const begin = (prompt: string) => troupe.call(`/sessions/${id}/turn`, { token, body: { prompt, wait: false } })
      const interrupt = Effect.andThen(
        troupe.call(`/sessions/${id}/interrupt`, { token, body: {} }),
        until(troupe, token, id, at("idle.awake"))
      )

      yield* begin("tool sleep 300")
      const { process: shown } = yield* until(troupe, token, id, ({ why }) => why.wait.tool !== null)
      const waiting = yield* untilKind(troupe, token, id, "tool_waits")
      assert.include(waiting.verdict, "`sleep 300` runs")
      assert.isTrue(waiting.processes.some(({ command }) => command === "sleep 300"))
      yield* interrupt

      yield* begin("tool while :; do :; done")
      const working = yield* untilKind(troupe, token, id, "tool_works")
      assert.match(working.verdict, /is at work: its processes use \d+ % of a processor/)
      const samples = yield* untilBusy(troupe, token, id)
      assert.isAtLeast(samples.length, 2)
      yield* interrupt

      yield* begin("hang")
      yield* until(troupe, token, id, at("turning.running"))
      process.kill(shown.pid ?? 0, "SIGSTOP")
      const stopped = yield* untilKind(troupe, token, id, "stopped")
      assert.include(stopped.verdict, `kill -CONT ${shown.pid}`)
      assert.include(stopped.markdown, stopped.verdict)
      process.kill(shown.pid ?? 0, "SIGCONT")
      assert.notStrictEqual((yield* untilKind(troupe, token, id, "waits")).kind, "stopped")

      // Another app gets none of it.
      const theirs = yield* troupe.mint("theirs")
      assert.strictEqual((yield* troupe.call(api(id, "/why"), { token: theirs })).status, 404)
    }).pipe(Effect.scoped)
  )
})
