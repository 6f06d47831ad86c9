/** What a start does to the processes of a supervisor that died, and to those of one that lives. */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { spawn as spawnNode } from "node:child_process"
import { Processes } from "../../src/agent/Processes.ts"
import { firstLine, freshLease, isAlive, spawn, specOf } from "./child.ts"

const pidsOf = (line: string) => JSON.parse(line) as { readonly near: number; readonly far: number }

layer(Processes.layer, { excludeTestServices: true })("the processes of an earlier supervisor", (it) => {
  it.effect("the processes of a dead supervisor are reaped by start time and by marker", () =>
    Effect.gen(function* () {
      const processes = yield* Processes
      const lease = freshLease()
      yield* Effect.addFinalizer(() => processes.sweep(lease))
      // As a dead supervisor leaves it: this `Processes` did not spawn it, and knows only the stored lease.
      const orphan = yield* startOutside(specOf("family").command, lease)
      const startTime = yield* processes.startTime(orphan.pid)
      const { bootId, self } = processes
      const supervisor = { ...self, startTime: "1" }
      const reaped = yield* processes.reap({ lease, pid: orphan.pid, startTime, bootId, supervisor })
      assert.deepStrictEqual(reaped, { _tag: "Ended", found: 3, left: 0 })
      assert.deepStrictEqual([orphan.pid, orphan.near, orphan.far].filter(isAlive), [])
    })
  )

  it.effect("the processes of a supervisor that lives, or that can't be seen, are never reaped", () =>
    Effect.gen(function* () {
      const processes = yield* Processes
      const lease = freshLease()
      yield* Effect.addFinalizer(() => processes.sweep(lease))
      const child = yield* startOutside(specOf("family").command, lease)
      const startTime = yield* processes.startTime(child.pid)
      // Any process that runs, and is not this one, may be the other Troupe.
      const supervisor = {
        pid: process.ppid,
        startTime: yield* processes.startTime(process.ppid),
        pidNamespace: processes.self.pidNamespace
      }
      const orphan = { lease, pid: child.pid, startTime, bootId: processes.bootId, supervisor }
      assert.deepStrictEqual(yield* processes.reap(orphan), { _tag: "InUse", supervisor })
      const elsewhere = { ...supervisor, pidNamespace: "pid:[1]" }
      assert.deepStrictEqual(yield* processes.reap({ ...orphan, supervisor: elsewhere }), { _tag: "OutOfSight" })
      assert.deepStrictEqual([child.pid, child.near, child.far].filter(isAlive), [child.pid, child.near, child.far])
      // A lease of 0.1.0 names nobody.
      assert.deepStrictEqual(yield* processes.reap({ ...orphan, supervisor: null }), {
        _tag: "Ended",
        found: 3,
        left: 0
      })
    })
  )

  it.effect("a pid with another start time or of another boot is never reaped", () =>
    Effect.gen(function* () {
      const processes = yield* Processes
      const stranger = yield* spawn(specOf("stubborn"))
      assert.strictEqual(yield* firstLine(stranger), "ready")
      const { pid } = stranger
      const startTime = yield* processes.startTime(pid)
      assert.isNotNull(startTime)
      const lease = freshLease()
      const { bootId } = processes
      const orphan = { lease, pid, startTime, bootId, supervisor: null }
      const nothing = { _tag: "Ended", found: 0, left: 0 } as const
      assert.deepStrictEqual(yield* processes.reap({ ...orphan, startTime: `${startTime}1` }), nothing)
      assert.deepStrictEqual(yield* processes.reap({ ...orphan, startTime: null }), nothing)
      assert.deepStrictEqual(yield* processes.reap({ ...orphan, bootId: "another boot" }), nothing)
      assert.isTrue(isAlive(pid))
      assert.isNull(yield* processes.startTime(2 ** 22 + 1))
    })
  )
})

/** A process with descendants that Troupe did not start. */
const startOutside = (command: readonly [string, ...ReadonlyArray<string>], lease: string) =>
  Effect.callback<{ readonly pid: number; readonly near: number; readonly far: number }>((resume) => {
    const [file, ...args] = command
    const child = spawnNode(file, args, {
      detached: true,
      stdio: ["ignore", "pipe", "ignore"],
      env: { ...process.env, TROUPE_LEASE: lease }
    })
    child.stdout.once("data", (line: Buffer) => {
      child.stdout.destroy()
      resume(Effect.succeed({ pid: child.pid ?? 0, ...pidsOf(line.toString()) }))
    })
  })
