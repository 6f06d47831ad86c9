/** A pipe of a child fails before anybody reads it: its reader learns of it later, and nothing else happens. */
// First: see there.
import * as Faults from "./faults.ts"
import { afterAll, assert, layer } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { Processes } from "../../src/agent/Processes.ts"
import { spawn, specOf } from "../agent/child.ts"

afterAll(Faults.uninstall)

const shell = (script: string) => ({ ...specOf("wire"), command: ["/bin/sh", "-c", script] as const, stdin: false })

layer(Processes.layer, { excludeTestServices: true })("a pipe that fails before it is read", (it) => {
  it.effect("is a failure of its reader, where it is stdout", () =>
    Effect.gen(function* () {
      Faults.arm("stdout read", 1, "once")
      const child = yield* spawn(shell("echo answer"))
      yield* child.exit
      // By then Node has read the answer, or would have.
      yield* Effect.sleep("50 millis")
      assert.strictEqual(Faults.disarm().failed, "answer\n")
      const failure = yield* Effect.flip(Stream.runDrain(child.stdout))
      assert.strictEqual(failure.class, "crash")
      assert.strictEqual(failure.message, "The output of /bin/sh broke off: EIO: made to fail, read")
    })
  )

  it.effect("is nothing but a shorter tail, where it is stderr", () =>
    Effect.gen(function* () {
      Faults.arm("stderr read", 1, "once")
      const child = yield* spawn(shell("echo why >&2; echo answer"))
      assert.strictEqual(yield* child.stdout.pipe(Stream.decodeText(), Stream.mkString), "answer\n")
      yield* child.exit
      assert.strictEqual(yield* child.stderr, "")
      assert.strictEqual(Faults.disarm().failed, "why\n")
    })
  )
})
