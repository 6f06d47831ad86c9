/** What becomes of a child's output: it waits for its reader, is read whole, and leaves no open pipe. */
import { assert, layer } from "@effect/vitest"
import { Effect, Exit, Scope, Stream } from "effect"
import { readdirSync, readFileSync, readlinkSync } from "node:fs"
import { Processes } from "../../src/agent/Processes.ts"
import { spawn, specOf } from "./child.ts"

const writing = (bytes: number, after = "") => ({
  ...specOf("wire"),
  command: ["/bin/sh", "-c", `exec 2>&1; head -c ${bytes} /dev/zero${after}`] as const,
  stdin: false
})

const openPipes = () =>
  readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return /^(pipe|socket):/.test(readlinkSync(`/proc/self/fd/${fd}`))
    } catch {
      return false
    }
  }).length

const untilHolds = (holds: () => boolean) => Effect.sleep("20 millis").pipe(Effect.repeat({ until: holds }))

layer(Processes.layer, { excludeTestServices: true })("the output of a child", (it) => {
  it.effect("waits in the pipe until it is read, and is read whole", () =>
    Effect.gen(function* () {
      const bytes = 20_000_000
      const child = yield* spawn({ ...writing(bytes), command: ["head", "-c", String(bytes), "/dev/zero"] })
      const written = () => Number(/^wchar: (\d+)$/m.exec(readFileSync(`/proc/${child.pid}/io`, "latin1"))?.[1])
      let before = -1
      yield* untilHolds(() => {
        const isStill = written() > 0 && written() === before
        before = written()
        return isStill
      })
      assert.isBelow(written(), 1_000_000)
      assert.isNull(child.lastOutputAt())
      const read = yield* Stream.runFold(
        child.stdout,
        () => 0,
        (sum, chunk) => sum + chunk.length
      )
      assert.strictEqual(read, bytes)
      assert.isNotNull(child.lastOutputAt())
      assert.deepStrictEqual(yield* child.exit, { code: 0, signal: null })
    })
  )

  it.effect("that nobody has read leaves no open pipe, however much it was", () =>
    Effect.gen(function* () {
      const before = openPipes()
      // What the kernel holds alone, and with Node's buffer, and more.
      for (const bytes of [60_000, 100_000, 150_000, 250_000, 1_000_000]) {
        for (const isRead of [false, true]) {
          const scope = yield* Scope.make()
          const child = yield* Scope.provide(scope)(spawn(writing(bytes)))
          if (isRead) yield* child.stdout.pipe(Stream.take(1), Stream.runDrain)
          if (bytes <= 100_000) yield* child.exit
          yield* Scope.close(scope, Exit.void)
        }
      }
      yield* untilHolds(() => openPipes() <= before)
    })
  )
})
