/** All or nothing, one's own failures only, nothing lost that was acknowledged, whatever dies. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Option, Scope } from "effect"
import { TestClock } from "effect/testing"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { Ledger } from "../../src/ledger/Ledger.ts"
import * as SqliteLedger from "../../src/ledger/SqliteLedger.ts"
import { id, opened, said, scratchFile, session, step, turn } from "./samples.ts"

const onFile = <A, E>(test: (ledger: Ledger["Service"]) => Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const filename = yield* scratchFile
    return yield* Ledger.use(test).pipe(Effect.provide(SqliteLedger.layer(filename)))
  }).pipe(Effect.scoped)

const seqs = (ledger: Ledger["Service"]) =>
  Effect.map(ledger.events(id, 0, 1_000), (events) => events.map(({ seq }) => seq))

/** A script of ours in a process of its own, gone with the scope. */
const child = (script: string, filename: string) =>
  Effect.acquireRelease(
    Effect.sync(() =>
      spawn(process.execPath, [new URL(`../fixtures/ledger/${script}`, import.meta.url).pathname, filename], {
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

describe("writing", () => {
  it.effect("leaves nothing of a list in which one entry fails", () =>
    onFile((ledger) =>
      Effect.gen(function* () {
        yield* ledger.write([opened(), said(1)])
        const error = yield* Effect.flip(
          ledger.write([
            { _tag: "SessionPatched", session: id, patch: { turnCount: 9 } },
            { _tag: "TurnInserted", record: turn() },
            said(2),
            said(1),
            { _tag: "StepAppended", step: step() }
          ])
        )
        assert.match(error.message, /could not write EventAppended of ses_.*UNIQUE/)
        assert.deepStrictEqual(yield* ledger.session(id), Option.some(session()))
        assert.deepStrictEqual(yield* ledger.turns(id, 0, 10), [])
        assert.deepStrictEqual(yield* seqs(ledger), [1])
        assert.strictEqual(yield* ledger.lastStep(id), 0)
      })
    )
  )

  it.effect("tells each of those who share a transaction of their own failure only", () =>
    onFile((ledger) =>
      Effect.gen(function* () {
        yield* ledger.write([opened(), said(1)])
        const exits = yield* Effect.forEach(
          [[said(2)], [said(3), said(1)], [said(4)], [said(1)], [said(5)]],
          (entries) => Effect.exit(ledger.write(entries)),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(exits.map(Exit.isSuccess), [true, false, true, false, true])
        assert.deepStrictEqual(yield* seqs(ledger), [1, 2, 4, 5])
      })
    )
  )

  it.effect("takes more writers at once than fit in line", () =>
    onFile((ledger) =>
      Effect.gen(function* () {
        yield* ledger.write([opened()])
        const all = Array.from({ length: 3_000 }, (_, n) => n + 1)
        yield* Effect.forEach(all, (n) => ledger.write([said(n)]), { concurrency: "unbounded", discard: true })
        assert.strictEqual((yield* ledger.events(id, 0, 5_000)).length, 3_000)
      })
    )
  )

  it.effect("writes what was for later in front of the next write", () =>
    onFile((ledger) =>
      Effect.gen(function* () {
        yield* ledger.write([opened()])
        yield* ledger.writeLater([said(1)])
        yield* ledger.writeLater([said(2)])
        assert.deepStrictEqual(yield* seqs(ledger), [])
        yield* ledger.write([said(3)])
        assert.deepStrictEqual(yield* seqs(ledger), [1, 2, 3])
      })
    )
  )

  it.effect("writes what was for later after 50 ms", () =>
    onFile((ledger) =>
      Effect.gen(function* () {
        yield* ledger.write([opened()])
        for (const n of [1, 2]) {
          yield* ledger.writeLater([said(n)])
          yield* TestClock.adjust("49 millis")
          assert.strictEqual(yield* ledger.lastEvent(id), n - 1)
          yield* TestClock.adjust("1 millis")
          assert.strictEqual(yield* ledger.lastEvent(id), n)
        }
      })
    )
  )

  it.effect("writes a heap of entries for later without waiting for the time", () =>
    onFile((ledger) =>
      Effect.gen(function* () {
        yield* ledger.write([opened()])
        yield* Effect.forEach(
          Array.from({ length: 600 }, (_, n) => n + 1),
          (n) => ledger.writeLater([said(n)]),
          { discard: true }
        )
        yield* Effect.yieldNow.pipe(
          Effect.repeat({ until: () => Effect.map(Effect.orDie(ledger.lastEvent(id)), (n) => n >= 512) })
        )
      })
    )
  )

  it.effect("loses an entry for later that can't be written, and nobody else's", () =>
    onFile((ledger) =>
      Effect.gen(function* () {
        yield* ledger.write([opened(), said(1)])
        yield* ledger.writeLater([said(1)])
        yield* ledger.writeLater([said(2)])
        yield* ledger.write([said(3)])
        assert.deepStrictEqual(yield* seqs(ledger), [1, 2, 3])
      })
    )
  )

  it.effect("writes what is in line when it is closed, and nothing after", () =>
    Effect.gen(function* () {
      const filename = yield* scratchFile
      const scope = yield* Scope.make()
      const ledger = yield* Effect.map(Layer.buildWithScope(SqliteLedger.layer(filename), scope), (context) =>
        Ledger.pipe(Effect.provideContext(context))
      ).pipe(Effect.flatten)
      yield* ledger.write([opened()])
      yield* ledger.writeLater([said(1)])
      const last = yield* Effect.forkChild(ledger.write([said(2)]))
      yield* Effect.yieldNow
      yield* Scope.close(scope, Exit.void)
      yield* Fiber.join(last)
      assert.match((yield* Effect.flip(ledger.write([said(3)]))).message, /the ledger is closed/)
      const reopened = yield* Ledger.use(seqs).pipe(Effect.provide(SqliteLedger.layer(filename)))
      assert.deepStrictEqual(reopened, [1, 2])
    }).pipe(Effect.scoped)
  )

  it.live("has after a SIGKILL everything that was acknowledged", () =>
    Effect.gen(function* () {
      const filename = yield* scratchFile
      const writer = yield* child("writes-for-ever.ts", filename)
      const acknowledged = yield* Effect.promise(async () => {
        let said = ""
        const exit = once(writer, "exit")
        for await (const chunk of writer.stdout) {
          said += String(chunk)
          if (said.split("\n").length > 200) writer.kill("SIGKILL")
        }
        await exit
        return Number(said.slice(0, said.lastIndexOf("\n")).split("\n").at(-1))
      })
      assert.isAtLeast(acknowledged, 200)
      yield* Ledger.use((ledger) =>
        Effect.gen(function* () {
          const last = yield* ledger.lastEvent(id)
          // The one in the air when the kill came may be there too; half of it may not.
          assert.include([acknowledged, acknowledged + 1], last)
          assert.strictEqual(yield* ledger.lastStep(id), last)
          assert.strictEqual((yield* ledger.events(id, 0, last + 1)).length, last)
          yield* ledger.write([said(last + 1)])
        })
      ).pipe(Effect.provide(SqliteLedger.layer(filename)))
    }).pipe(Effect.scoped)
  )

  it.live("waits for another process that is writing to the same file", () =>
    Effect.gen(function* () {
      const filename = yield* scratchFile
      yield* Ledger.use((ledger) =>
        Effect.gen(function* () {
          yield* ledger.write([opened()])
          const other = yield* child("holds-the-lock.ts", filename)
          yield* Effect.promise(() => once(other.stdout, "data"))
          yield* ledger.write([said(1)])
          assert.strictEqual(yield* ledger.lastEvent(id), 1)
        })
      ).pipe(Effect.provide(SqliteLedger.layer(filename)))
    }).pipe(Effect.scoped)
  )
})
