/** Writing to one SQLite file from several processes, one of which is killed; and the limits of the writer. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { Ledger } from "../../../src/ledger/Ledger.ts"
import * as SqliteLedger from "../../../src/ledger/SqliteLedger.ts"
import { id, opened, eventAppended, scratchFile } from "../samples.ts"

const onFile = <A, E>(test: (ledger: Ledger["Service"]) => Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const filename = yield* scratchFile
    return yield* Ledger.use(test).pipe(Effect.provide(SqliteLedger.layer(filename)))
  }).pipe(Effect.scoped)

/** Runs a script of the fixtures in a process that ends with the scope. */
const child = (script: string, filename: string) =>
  Effect.acquireRelease(
    Effect.sync(() =>
      spawn(process.execPath, [new URL(`../../fixtures/ledger/${script}`, import.meta.url).pathname, filename], {
        stdio: ["ignore", "pipe", "inherit"]
      })
    ),
    (process) =>
      Effect.promise(async () => {
        if (process.exitCode !== null || process.signalCode !== null) return
        process.kill("SIGKILL")
        await once(process, "exit")
      })
  )

describe("writing to a file", () => {
  it.effect("more than 512 deferred entries are written at once", () =>
    onFile((ledger) =>
      Effect.gen(function* () {
        yield* ledger.write([opened()])
        yield* Effect.forEach(
          Array.from({ length: 600 }, (_, n) => n + 1),
          (n) => ledger.writeLater([eventAppended(n)]),
          { discard: true }
        )
        yield* Effect.yieldNow.pipe(
          Effect.repeat({ until: () => Effect.map(Effect.orDie(ledger.lastEvent(id)), (n) => n >= 512) })
        )
      })
    )
  )

  it.live("a file has everything that was acknowledged before its writer was killed by SIGKILL", () =>
    Effect.gen(function* () {
      const filename = yield* scratchFile
      const writer = yield* child("writes-for-ever.ts", filename)
      const acknowledged = yield* Effect.promise(async () => {
        let output = ""
        const exit = once(writer, "exit")
        for await (const chunk of writer.stdout) {
          output += String(chunk)
          if (output.split("\n").length > 200) writer.kill("SIGKILL")
        }
        await exit
        return Number(output.slice(0, output.lastIndexOf("\n")).split("\n").at(-1))
      })
      assert.isAtLeast(acknowledged, 200)
      yield* Ledger.use((ledger) =>
        Effect.gen(function* () {
          const last = yield* ledger.lastEvent(id)
          // The write that the kill interrupted may be stored too, but not half of it.
          assert.include([acknowledged, acknowledged + 1], last)
          assert.strictEqual(yield* ledger.lastStep(id), last)
          assert.strictEqual((yield* ledger.events(id, 0, last + 1)).length, last)
          yield* ledger.write([eventAppended(last + 1)])
        })
      ).pipe(Effect.provide(SqliteLedger.layer(filename)))
    }).pipe(Effect.scoped)
  )

  it.live("a write waits for another process that is writing to the same file", () =>
    Effect.gen(function* () {
      const filename = yield* scratchFile
      yield* Ledger.use((ledger) =>
        Effect.gen(function* () {
          yield* ledger.write([opened()])
          const other = yield* child("holds-the-lock.ts", filename)
          yield* Effect.promise(() => once(other.stdout, "data"))
          yield* ledger.write([eventAppended(1)])
          assert.strictEqual(yield* ledger.lastEvent(id), 1)
        })
      ).pipe(Effect.provide(SqliteLedger.layer(filename)))
    }).pipe(Effect.scoped)
  )
})
