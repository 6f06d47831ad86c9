/** The processes of a one-shot run: how they end, and what environment they get. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer } from "effect"
import { OneShot } from "../../src/agent/OneShot.ts"
import { Processes } from "../../src/agent/Processes.ts"
import { fixture, isAlive } from "./child.ts"
import { run, runRequest } from "./oneshot.claude.ts"

describe("the processes of a one-shot run", () => {
  it.live("the child gets what claude is known to need, and nothing of ours", () =>
    Effect.gen(function* () {
      process.env["TROUPE_ADMIN_TOKEN"] = "ours"
      process.env["ANTHROPIC_BASE_URL"] = "http://127.0.0.1:1"
      const answer = yield* run("env", {}, { inheritEnv: ["FOR_CLAUDE"] })
      delete process.env["TROUPE_ADMIN_TOKEN"]
      delete process.env["ANTHROPIC_BASE_URL"]
      assert.isTrue(answer.ok)
      const env = (answer.ok ? answer.result : {}) as Readonly<Record<string, string>>
      assert.strictEqual(env["ANTHROPIC_BASE_URL"], "http://127.0.0.1:1")
      assert.deepStrictEqual(
        Object.keys(env).filter((name) => name.startsWith("TROUPE_")),
        ["TROUPE_LEASE"]
      )
    })
  )

  it.live("the deadline ends all processes of a run, also those that left the group or ignore SIGTERM", () =>
    Effect.gen(function* () {
      const answer = yield* run("family", { timeoutMillis: 3_000 })
      assert.deepInclude(answer, { ok: false, stopReason: "timeout" })
      const pids = relativesIn(answer.ok ? "" : answer.stderr)
      assert.lengthOf(pids, 2)
      assert.deepStrictEqual(pids.filter(isAlive), [])
    })
  )

  it.live("a run that answered leaves no process behind, also none that does not exit by itself", () =>
    Effect.gen(function* () {
      assert.deepInclude(yield* run("leave\nsay done"), { ok: true, result: "done" })
      const failed = yield* run("leave\nerror no")
      const leftRunning = relativesIn(failed.ok ? "" : failed.stderr)
      assert.lengthOf(leftRunning, 1)
      assert.deepStrictEqual(leftRunning.filter(isAlive), [])
      assert.deepInclude(yield* run("linger\nsay early"), { ok: true, result: "early" })
    })
  )

  it.live("an interrupted run ends all its processes", () =>
    Effect.gen(function* () {
      const started = yield* Deferred.make<number>()
      const watching = Layer.effect(
        Processes,
        Effect.map(Processes, (processes) =>
          Processes.of({
            ...processes,
            spawn: (spec) => Effect.tap(processes.spawn(spec), ({ pid }) => Deferred.succeed(started, pid))
          })
        )
      ).pipe(Layer.provide(Processes.layer))
      const fiber = yield* Effect.flatMap(OneShot, (oneShot) => oneShot.run(runRequest({ prompt: "x" }))).pipe(
        Effect.provide(
          OneShot.layer({ command: [process.execPath, fixture("claude")], env: { FAKE_CLAUDE: "family" } }).pipe(
            Layer.provide(watching)
          )
        ),
        Effect.forkChild
      )
      const pid = yield* Deferred.await(started)
      assert.isTrue(isAlive(pid))
      yield* Fiber.interrupt(fiber)
      assert.isFalse(isAlive(pid))
    })
  )

  it.live("a program that prints without end is ended", () =>
    Effect.gen(function* () {
      const oneLine = yield* run("flood")
      assert.isTrue(!oneLine.ok && oneLine.error.includes("wrote more than 33554432 bytes and no result"))
    })
  )
})

const relativesIn = (stderr: string) =>
  (/relatives: ([\d ]+)/.exec(stderr)?.[1] ?? "").split(" ").filter(Boolean).map(Number)
