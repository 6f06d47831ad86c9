/** Real processes and their descendants: they end when they have to, whatever they do, and no other process does. */
import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, Exit, Scope, Stream } from "effect"
import { spawnSync } from "node:child_process"
import * as DescentMark from "../../src/agent/descentMark.ts"
import { Processes } from "../../src/agent/Processes.ts"
import { firstLine, freshLease, isAlive, spawn, specOf } from "./child.ts"

const pidsOf = (line: string) => JSON.parse(line) as { readonly near: number; readonly far: number }

layer(Processes.layer, { excludeTestServices: true })("the child processes", (it) => {
  it.effect("a child gets its environment unchanged, the marker, and nothing of ours", () =>
    Effect.gen(function* () {
      process.env["TROUPE_TEST_OF_ENVIRONMENT"] = "ours"
      const lease = freshLease()
      const child = yield* spawn({
        ...specOf("stubborn", { lease }),
        command: [process.execPath, "-e", "process.stdout.write(JSON.stringify(process.env) + '\\n')"],
        env: { A: "b" },
        stdin: false
      })
      assert.deepStrictEqual(JSON.parse(yield* firstLine(child)), { A: "b", TROUPE_LEASE: lease })
      delete process.env["TROUPE_TEST_OF_ENVIRONMENT"]
    })
  )

  it.effect("the pid is reported before anything can be written", () =>
    Effect.gen(function* () {
      const pids: Array<number> = []
      const child = yield* spawn(specOf("stubborn", { spawned: (pid) => Effect.sync(() => void pids.push(pid)) }))
      assert.deepStrictEqual(pids, [child.pid])
    })
  )

  it.effect("writes keep their order, and a child exits with its code when stdin is closed", () =>
    Effect.gen(function* () {
      const child = yield* spawn({ ...specOf("wire"), command: ["cat"] })
      for (let i = 0; i < 500; i++) yield* child.write(i % 2 === 0 ? `${i}\n` : new TextEncoder().encode(`${i}\n`))
      yield* child.end
      const text = yield* child.stdout.pipe(Stream.decodeText(), Stream.mkString)
      assert.strictEqual(text, Array.from({ length: 500 }, (_, i) => `${i}\n`).join(""))
      assert.deepStrictEqual(yield* child.exit, { code: 0, signal: null })
    })
  )

  it.effect("the exit of a child names its signal, and writing to it fails", () =>
    Effect.gen(function* () {
      const spec = specOf("stubborn")
      const child = yield* spawn(spec)
      assert.strictEqual(yield* firstLine(child), "ready")
      yield* (yield* Processes).signal(spec.lease, "SIGKILL")
      assert.deepStrictEqual(yield* child.exit, { code: null, signal: "SIGKILL" })
      const failure = yield* Effect.flip(writeUntilRefused((bytes) => child.write(bytes)))
      assert.strictEqual(failure.class, "crash")
    })
  )

  it.effect("a spawn fails with what to do where the program or the directory is missing", () =>
    Effect.gen(function* () {
      const program = yield* Effect.flip(spawn({ ...specOf("wire"), command: ["no-such-program-here"] }))
      assert.strictEqual(program.class, "config")
      assert.include(program.message, "no-such-program-here was not found. Install it")
      const directory = yield* Effect.flip(spawn(specOf("wire", { cwd: "/no/such/directory" })))
      assert.strictEqual(directory.class, "config")
      assert.include(directory.message, "working directory /no/such/directory does not exist")
    })
  )

  it.effect("what no kernel can pass to a program is a failure that names it, of class config", () =>
    Effect.gen(function* () {
      const node = process.execPath
      const spec = specOf("wire")
      const failed = (changes: Partial<typeof spec>) => Effect.flip(spawn({ ...spec, ...changes }))
      const long = "x".repeat(200_000)
      for (const [changes, words] of [
        [{ command: [node, "a\0b"] }, `${node} was not started: its argument "a\\u0000b" contains the character NUL.`],
        [{ env: { ...spec.env, A: "b\0" } }, "the variable A contains the character NUL."],
        [
          { command: [node, `--system=${long}`] },
          "its argument --system has 200009 bytes, and the kernel takes at most"
        ],
        [{ command: [node, long] }, `its argument "${long.slice(0, 20)}…" has 200000 bytes`],
        [{ env: { ...spec.env, A: long } }, "the variable A has 200002 bytes"],
        // Each is short enough, and together they are not.
        [{ command: [node, ...Array.from({ length: 100 }, () => "x".repeat(100_000))] }, "together are longer than"]
      ] as const) {
        const failure = yield* failed(changes as Partial<typeof spec>)
        assert.strictEqual(failure.class, "config")
        assert.include(failure.message, words)
      }
    })
  )

  it.effect("a scope closes over a child that ignores SIGTERM", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const spec = specOf("stubborn")
      const child = yield* Scope.provide(scope)(spawn(spec))
      assert.strictEqual(yield* firstLine(child), "ready")
      yield* (yield* Processes).signal(spec.lease, "SIGTERM")
      assert.isTrue(isAlive(child.pid))
      yield* Scope.close(scope, Exit.void)
      assert.isFalse(isAlive(child.pid))
      assert.deepStrictEqual(yield* child.exit, { code: null, signal: "SIGKILL" })
    })
  )

  it.effect("a sweep ends a descendant that left the group, which a signal to the group does not reach", () =>
    Effect.gen(function* () {
      const processes = yield* Processes
      const spec = specOf("family")
      const child = yield* spawn(spec)
      const { near, far } = pidsOf(yield* firstLine(child))
      assert.sameMembers(
        (yield* processes.tree(spec.lease)).map((info) => info.pid),
        [child.pid, near, far]
      )
      yield* processes.signal(spec.lease, "SIGKILL")
      yield* child.exit
      assert.isTrue(isAlive(far))
      assert.strictEqual(yield* processes.sweep(spec.lease), 0)
      assert.deepStrictEqual([child.pid, near, far].filter(isAlive), [])
      assert.deepStrictEqual(yield* processes.tree(spec.lease), [])
    })
  )

  for (const ended of ["sweep", "reap"] as const) {
    it.effect.skipIf(!DescentMark.marks)(
      `a ${ended} ends a daemon that left group and session, cleared its environment and has no parent of ours`,
      () =>
        Effect.gen(function* () {
          const processes = yield* Processes
          const script = `read line; (env -i /usr/bin/setsid sh -c 'sleep 600 & echo $!' &); sleep 600`
          const spec = { ...specOf("wire"), command: ["sh", "-c", script] as const }
          const child = yield* spawn(spec)
          yield* child.write("go\n")
          const daemon = Number(yield* firstLine(child))
          const { lease } = spec
          assert.include(
            (yield* processes.tree(lease)).map(({ pid }) => pid),
            daemon
          )
          // What a next Troupe knows of it: no group, because the group's leader is gone.
          yield* processes.signal(lease, "SIGKILL")
          yield* child.exit
          assert.isTrue(isAlive(daemon))
          const { bootId } = processes
          if (ended === "sweep") assert.strictEqual(yield* processes.sweep(lease), 0)
          else yield* processes.reap({ lease, pid: child.pid, startTime: "gone", bootId, supervisor: null })
          assert.isFalse(isAlive(daemon))
        })
    )
  }

  it.effect("what the processes of a lease use is counted for each lease alone", () =>
    Effect.gen(function* () {
      const processes = yield* Processes
      const [family, alone] = [specOf("family"), specOf("stubborn")]
      yield* firstLine(yield* spawn(family))
      yield* firstLine(yield* spawn(alone))
      const uses = yield* processes.use([family.lease, alone.lease, freshLease()])
      assert.deepStrictEqual([...uses.keys()].toSorted(), [family.lease, alone.lease].toSorted())
      assert.strictEqual(uses.get(family.lease)?.processes, 3)
      assert.strictEqual(uses.get(alone.lease)?.processes, 1)
      assert.isAbove(uses.get(alone.lease)?.rssBytes ?? 0, 10_000_000)
      assert.isAbove(uses.get(family.lease)?.rssBytes ?? 0, uses.get(alone.lease)?.rssBytes ?? 0)
    })
  )

  it.effect("exit and end of stdout are reported at once while a grandchild holds the pipe", () =>
    Effect.gen(function* () {
      const processes = yield* Processes
      const spec = specOf("family", { args: ["exit"] })
      const child = yield* spawn(spec)
      const output = yield* child.stdout.pipe(Stream.decodeText(), Stream.mkString)
      const { near, far } = pidsOf(output)
      assert.deepStrictEqual(yield* child.exit, { code: 3, signal: null })
      assert.isTrue(isAlive(far), "the pipe was held by a living process")
      assert.strictEqual(yield* processes.sweep(spec.lease), 0)
      assert.deepStrictEqual([near, far].filter(isAlive), [])
    })
  )

  it.effect("a second sweep, and the sweep of an unknown lease, touch no process", () =>
    Effect.gen(function* () {
      const processes = yield* Processes
      const bystander = yield* spawn(specOf("stubborn"))
      assert.strictEqual(yield* firstLine(bystander), "ready")
      assert.strictEqual(yield* processes.sweep(freshLease()), 0)
      yield* processes.signal(freshLease(), "SIGKILL")
      assert.isTrue(isAlive(bystander.pid))
    })
  )

  it.effect("the tail of stderr is bounded and redacted, and has the last words of a dead child", () =>
    Effect.gen(function* () {
      const script = `process.stderr.write("x".repeat(20000) + "\\nkey is hunter2hunter2 \\u001b[31mBearer abcdefgh1234\\u001b[0m\\nlast words\\n"); process.exit(1)`
      const child = yield* spawn({
        ...specOf("wire"),
        command: [process.execPath, "-e", script],
        env: { MY_API_KEY: "hunter2hunter2" }
      })
      assert.deepStrictEqual(yield* child.exit, { code: 1, signal: null })
      const stderr = yield* child.stderr
      assert.isTrue(stderr.endsWith("\nkey is [redacted] Bearer [redacted]\nlast words\n"))
      assert.isAtMost(Buffer.byteLength(stderr), 8 * 1024)
    })
  )

  it.effect("the stderr of a running child is read without waiting for its end", () =>
    Effect.gen(function* () {
      const child = yield* spawn({
        ...specOf("stubborn"),
        command: [
          process.execPath,
          "-e",
          "console.error('still here'); console.log('said'); setInterval(() => {}, 1e6)"
        ]
      })
      yield* firstLine(child)
      const stderr = yield* child.stderr.pipe(Effect.repeat({ until: (text) => text !== "" }))
      assert.strictEqual(stderr, "still here\n")
    })
  )
})

/** Writes repeatedly, because a pipe takes some bytes before it breaks. */
const writeUntilRefused = <E>(write: (text: string) => Effect.Effect<void, E>) =>
  Effect.forever(write("x".repeat(1_000)))

const canLimitFiles = spawnSync("prlimit", ["--version"]).status === 0

describe("a process that can't be spawned", () => {
  it.skipIf(!canLimitFiles)("for want of open files says so, and what to do", () => {
    const script = new URL("../fixtures/agents/spawns-without-files.ts", import.meta.url).pathname
    const { stderr, stdout } = spawnSync("prlimit", ["--nofile=64:64", process.execPath, script], { encoding: "utf8" })
    const failure = JSON.parse(stdout === "" ? stderr : stdout) as { readonly class: string; readonly message: string }
    assert.strictEqual(failure.class, "crash")
    assert.match(
      failure.message,
      /^\/bin\/true could not be started: Troupe has as many files open as it may \(EMFILE\)/
    )
  })
})
