/** The kernel's table of processes can't be read for a while: nothing is taken for ended that may be there. */
// First: see there.
import * as Faults from "./faults.ts"
import { afterAll, assert, layer } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { Processes } from "../../src/agent/Processes.ts"
import { firstLine, isAlive, spawn, specOf } from "../agent/child.ts"

afterAll(Faults.uninstall)

layer(Processes.layer, { excludeTestServices: true })("a sweep while too many files are open", (it) => {
  it.effect("goes on until the table can be read, and ends the descendant that left the group", () =>
    Effect.gen(function* () {
      const processes = yield* Processes
      const spec = specOf("family")
      const child = yield* spawn(spec)
      const { far } = JSON.parse(yield* firstLine(child)) as { readonly far: number }
      Faults.arm("process table", 1, "lasting")
      yield* Effect.addFinalizer(() => Effect.sync(Faults.disarm))
      const sweep = yield* Effect.forkChild(processes.sweep(spec.lease))
      yield* child.exit
      // So often it looks at the table, at least, while the group is gone.
      yield* Effect.sleep("100 millis")
      const { count, failed } = Faults.disarm()
      assert.isAbove(count, 1)
      assert.strictEqual(failed, "readdirSync /proc")
      assert.isTrue(isAlive(far))
      assert.strictEqual(yield* Fiber.join(sweep), 0)
      assert.isFalse(isAlive(far))
    })
  )
})
