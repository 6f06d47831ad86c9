/** What a runtime does at its start about the processes of a supervisor that died. The processes are real. */
import { assert, it } from "@effect/vitest"
import { Effect, Metric } from "effect"
import { spawn } from "node:child_process"
import { Processes } from "../../src/agent/Processes.ts"
import type { LeaseId } from "../../src/domain/Ids.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import * as SqliteLedger from "../../src/ledger/SqliteLedger.ts"
import { orphansTotal } from "../../src/runtime/Metrics.ts"
import { freshLease, isAlive } from "../agent/child.ts"
import { scratch } from "../ledger/samples.ts"
import { runtimeIn, scriptLayer } from "../services/harness.ts"

/** Leads a group of its own, as an agent does, and is the child of nobody whom the runtime knows. */
const sleeper = (lease?: LeaseId) =>
  Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      const env = { PATH: process.env["PATH"], ...(lease === undefined ? {} : { TROUPE_LEASE: lease }) }
      const child = spawn("sleep", ["300"], { detached: true, stdio: "ignore", env })
      child.once("spawn", () => resume(Effect.succeed(child.pid ?? 0)))
      child.once("error", (error) => resume(Effect.die(error)))
    }),
    (pid) => Effect.sync(() => isAlive(pid) && process.kill(pid, "SIGKILL"))
  )

/** One of a group whose leader has ended: nothing tells any more whose group it is. */
const leaderless = Effect.acquireRelease(
  Effect.callback<{ readonly group: number; readonly member: number }>((resume) => {
    const child = spawn("/bin/sh", ["-c", "sleep 300 >/dev/null & echo $!"], {
      detached: true,
      stdio: ["ignore", "pipe", "ignore"],
      env: { PATH: process.env["PATH"] }
    })
    let member = 0
    child.stdout.on("data", (line: Buffer) => (member = Number(line)))
    child.once("close", () => resume(Effect.succeed({ group: child.pid ?? 0, member })))
  }),
  ({ member }) => Effect.sync(() => isAlive(member) && process.kill(member, "SIGKILL"))
)

it.live("a start ends the processes of a dead supervisor, and none that only has the number of one", () =>
  Effect.gen(function* () {
    const directory = yield* scratch
    const { bootId, self, startTime } = yield* Processes
    const [marked, unmarked, reused, ended] = [freshLease(), freshLease(), freshLease(), freshLease()]
    const withMarker = yield* sleeper(marked)
    const leader = yield* sleeper()
    const stranger = yield* sleeper()
    const { group, member } = yield* leaderless
    // The number of the dead supervisor is another process's as well: that of these tests.
    const supervisor = { ...self, startTime: `${self.startTime}0` }
    yield* Effect.gen(function* () {
      const ledger = yield* Ledger
      for (const [lease, pid, since] of [
        [marked, null, null],
        [unmarked, leader, yield* startTime(leader)],
        [reused, stranger, `${yield* startTime(stranger)}0`],
        [ended, group, "1"]
      ] as const) {
        const process = { bootId, supervisor, node: null, pid, startTime: since }
        const lost = { id: lease, session: null, generation: 1, openedAt: 0, ...process }
        yield* ledger.write([{ _tag: "LeaseOpened", lease: lost }])
      }
    }).pipe(Effect.provide(SqliteLedger.layer(`${directory}/ledger.sqlite`)))

    const { leases, swept } = yield* Effect.gen(function* () {
      const { count } = yield* Metric.value(orphansTotal)
      return { leases: yield* (yield* Ledger).leases, swept: count }
    }).pipe(Effect.provide(runtimeIn(directory, {}, {}, undefined, Processes.layer)), Effect.provide(scriptLayer))
    assert.deepStrictEqual([withMarker, leader, stranger, member].filter(isAlive), [stranger, member])
    assert.deepStrictEqual([leases, swept], [[], 2])
  }).pipe(Effect.provide(Processes.layer), Effect.provideService(Metric.MetricRegistry, new Map()), Effect.scoped)
)
