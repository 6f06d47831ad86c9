/** The agents of a machine, with real processes: drivers, versions, and diagnoses. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Queue } from "effect"
import { TestClock } from "effect/testing"
import type { AgentFact, OpenRequest } from "../../src/agent/Agent.ts"
import { Agents } from "../../src/agent/Agents.ts"
import * as Launch from "../../src/agent/Launch.ts"
import { Processes } from "../../src/agent/Processes.ts"
import { SessionId } from "../../src/domain/Ids.ts"
import type { AgentSpec } from "../../src/domain/Settings.ts"
import { freshLease } from "./child.ts"
import { textPrompt } from "../../src/domain/Turn.ts"
import { plainSetup } from "../../src/agent/Agent.ts"

const demo = Launch.ofDemo()
const demoCommand = demo._tag === "Found" ? demo.command : assert.fail("there is no demo agent")

const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "troupe-agents-test-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

const script = (file: string, text: string) => {
  writeFileSync(file, `#!/bin/sh\n${text}\n`)
  chmodSync(file, 0o755)
  return file
}

/** The `Agents` of a machine whose PATH is `path`. */
const agents = (
  options: {
    readonly agents?: Readonly<Record<string, AgentSpec>>
    readonly path?: string
    readonly default?: string
  } = {}
) =>
  Effect.map(
    Layer.build(
      Agents.layer(
        { agents: options.agents ?? {}, defaultAgent: options.default ?? null, dataDir: ":memory:" },
        { PATH: options.path ?? "/nowhere" }
      ).pipe(Layer.provideMerge(Processes.layer))
    ),
    (context) => ({ ...Effect.runSync(Effect.provide(Agents, context)), context })
  )

/** Opens a driver's connection in a directory of its own, and ends it with the test. */
const connect = Effect.fnUntraced(function* (
  service: { readonly driver: Agents["Service"]["driver"] },
  name: string | null,
  changes: Partial<OpenRequest> = {}
) {
  const processes = yield* Processes
  const lease = freshLease()
  const facts = yield* Queue.unbounded<AgentFact>()
  const connection = yield* Effect.flatMap(service.driver(name), (driver) =>
    driver.open({
      session: SessionId.make("test"),
      lease,
      cwd: import.meta.dirname,
      ...plainSetup,
      permissions: "deny",
      thread: null,
      emit: (fact) => Effect.asVoid(Queue.offer(facts, fact)),
      approve: () => Effect.succeed("deny"),
      spawned: () => Effect.void,
      ...changes
    })
  )
  yield* Effect.addFinalizer(() => processes.sweep(lease))
  /** Sends a prompt, and gives the text of the answer. */
  const say = Effect.fnUntraced(function* (turn: number, text: string) {
    yield* connection.prompt(turn, textPrompt(text))
    let answer = ""
    while (true) {
      const fact = yield* Queue.take(facts)
      if (fact._tag === "TurnEnded" || fact._tag === "Exited") return { end: fact, answer }
      if (fact._tag !== "Update") continue
      const { content, sessionUpdate } = fact.message.params.update
      if (sessionUpdate === "agent_message_chunk") answer += (content as { readonly text: string }).text
    }
  })
  return { connection, lease, say }
})

describe("the agents", () => {
  it.live("missing are those of the configured ones and the default that are not installed, the default first", () =>
    Effect.gen(function* () {
      const there = script(join(yield* directory, "there"), "exit 1")
      const absent: AgentSpec = { protocol: "acp", command: ["/nowhere/absent"] }
      const configured = { absent, there: { protocol: "acp", command: [there] } satisfies AgentSpec }
      const names = (options: Parameters<typeof agents>[0]) =>
        Effect.gen(function* () {
          const missing = yield* (yield* agents(options)).missing
          return missing.map(({ isDefault, name }) => (isDefault ? `${name}!` : name))
        })
      // Nobody relies on the built-in ones that are not installed.
      assert.deepStrictEqual(yield* names({}), [])
      assert.deepStrictEqual(yield* names({ agents: configured }), ["absent"])
      assert.deepStrictEqual(yield* names({ agents: configured, default: "there" }), ["absent"])
      assert.deepStrictEqual(yield* names({ agents: configured, default: "codex" }), ["codex!", "absent"])
    }).pipe(Effect.scoped)
  )

  it.live("the demo agent answers, and its context outlives its process", () =>
    Effect.gen(function* () {
      const service = yield* agents()
      yield* Effect.gen(function* () {
        const first = yield* connect(service, "demo")
        assert.strictEqual((yield* first.say(1, "hello")).answer, "You said: hello (turn 1)")
        yield* (yield* Processes).sweep(first.lease)
        const second = yield* connect(service, "demo", { thread: first.connection.thread })
        assert.isNull(second.connection.contextLost)
        assert.strictEqual((yield* second.say(2, "recall")).answer, '["hello"]')
      }).pipe(Effect.provide(service.context))
    }).pipe(Effect.scoped)
  )

  it.live("the default agent is the configured one, else an installed one, else demo", () =>
    Effect.gen(function* () {
      const nameOf = (service: { readonly driver: Agents["Service"]["driver"] }) =>
        Effect.map(service.driver(null), ({ name, protocol }) => [name, protocol])
      assert.deepStrictEqual(yield* nameOf(yield* agents()), ["demo", "acp"])
      assert.deepStrictEqual(yield* nameOf(yield* agents({ default: "gemini" })), ["gemini", "acp"])
      const bin = yield* directory
      script(join(bin, "codex"), "exit 0")
      assert.deepStrictEqual(yield* nameOf(yield* agents({ path: bin })), ["codex", "codex-app-server"])
    }).pipe(Effect.scoped)
  )

  it.live("an unknown name is refused", () =>
    Effect.gen(function* () {
      const service = yield* agents()
      for (const name of ["nobody", "", "acpx:", "toString"]) {
        assert.deepInclude(yield* Effect.flip(service.driver(name)), { _tag: "UnknownAgent", name })
      }
    }).pipe(Effect.scoped)
  )

  it.live("the driver of an agent that is not installed fails with what to do, and starts nothing", () =>
    Effect.gen(function* () {
      const service = yield* agents()
      const failure = yield* Effect.flip(connect(service, "gemini")).pipe(Effect.provide(service.context))
      assert.deepInclude(failure, { _tag: "AgentFailed", class: "config" })
      assert.include(
        failure.message,
        "gemini can't be started. It is not installed. It needs the command gemini on PATH."
      )
    }).pipe(Effect.scoped)
  )

  it.live("each agent is listed with its version, or with what to do", () =>
    Effect.gen(function* () {
      const bin = yield* directory
      script(join(bin, "gemini"), 'echo "gemini 1.2.3 $1"')
      script(join(bin, "qwen"), "echo nothing of use; exit 1")
      const mine: AgentSpec = { protocol: "acp", command: demoCommand }
      const service = yield* agents({ path: bin, agents: { mine } })
      const list = yield* service.list
      const of = (name: string) => list.find((agent) => agent.name === name)
      assert.deepInclude(of("demo"), { protocol: "acp", available: true, version: "1.0.0", hint: null })
      assert.deepInclude(of("mine"), { protocol: "acp", available: true, version: null, hint: null })
      assert.deepInclude(of("gemini"), { available: true, version: "1.2.3", hint: null })
      assert.deepInclude(of("qwen"), { available: true, version: null })
      assert.deepInclude(of("codex"), { protocol: "codex-app-server", available: false, version: null })
      assert.include(of("codex")?.hint ?? "", "npm install -g @openai/codex")
      assert.deepInclude(of("acpx:gemini"), { protocol: "acpx", available: true })
      assert.isUndefined(of("acpx:codex"))
      assert.deepInclude(of("codex")?.capabilities, { resume: true })
      assert.deepInclude(of("demo")?.capabilities, { resume: true, images: true })
    }).pipe(Effect.scoped)
  )

  it.effect("an agent is asked for its version once a minute", () =>
    Effect.gen(function* () {
      const bin = yield* directory
      const log = join(bin, "asked")
      script(join(bin, "gemini"), `echo x >> ${log}; echo 1.2.3`)
      const service = yield* agents({ path: bin })
      yield* service.list
      yield* service.list
      assert.strictEqual(readFileSync(log, "utf8"), "x\n")
      yield* TestClock.adjust("61 seconds")
      yield* service.list
      assert.strictEqual(readFileSync(log, "utf8"), "x\nx\n")
    }).pipe(Effect.scoped)
  )

  it.effect("a program that does not answer with its version is ended", () =>
    Effect.gen(function* () {
      const bin = yield* directory
      const pid = join(bin, "pid")
      script(join(bin, "gemini"), `echo $$ > ${pid}; exec /bin/sleep 300`)
      const service = yield* agents({ path: bin })
      const list = yield* passing(service.list)
      assert.deepInclude(
        list.find(({ name }) => name === "gemini"),
        { available: true, version: null }
      )
      assert.throws(() => process.kill(Number(readFileSync(pid, "utf8")), 0))
    }).pipe(Effect.scoped)
  )

  it.live("a diagnosis reports availability, handshake and version, and leaves no process", () =>
    Effect.gen(function* () {
      const crash: AgentSpec = { protocol: "acp", command: demoCommand, env: { TROUPE_DEMO_START: "crash" } }
      const auth: AgentSpec = { protocol: "acp", command: demoCommand, env: { TROUPE_DEMO_START: "auth" } }
      const service = yield* agents({ agents: { crash, auth } })
      const [demo] = yield* service.diagnose("demo")
      assert.deepInclude(demo, { name: "demo", available: true, version: "1.0.0" })
      assert.isTrue(demo?.handshake?.ok)
      const diagnoses = yield* service.diagnose(null)
      const of = (name: string) => diagnoses.find((agent) => agent.name === name)
      assert.isNull(of("gemini")?.handshake)
      assert.isFalse(of("gemini")?.available)
      const crashed = of("crash")?.handshake
      assert.isTrue(crashed?.ok === false && crashed.message.length > 20)
      const failedHandshake = of("auth")?.handshake
      assert.isTrue(failedHandshake?.ok === false && /log in|logged in|login|auth/i.test(failedHandshake.message))
      assert.deepStrictEqual(yield* service.diagnose("nobody"), [])
    }).pipe(Effect.scoped)
  )

  it.effect("a diagnosis waits for an agent that never answers as long as a session would, and no longer", () =>
    Effect.gen(function* () {
      const mine: AgentSpec = {
        protocol: "acp",
        command: demoCommand,
        env: { TROUPE_DEMO_START: "hang" },
        startTimeout: "7 seconds"
      }
      const service = yield* agents({ agents: { mine } })
      const [diagnosis] = yield* passing(service.diagnose("mine"))
      const failed = diagnosis?.handshake
      assert.match(failed?.ok === false ? failed.message : "", /^mine did not answer initialize in time/)
    }).pipe(Effect.scoped)
  )
})

/** Advances the test clock second by second until the effect is done, with real time for the kernel in between. */
const passing = <A, E, R>(work: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const done = yield* Deferred.make<void>()
    const fiber = yield* Effect.forkChild(Effect.ensuring(work, Deferred.succeed(done, undefined)))
    while (!(yield* Deferred.isDone(done))) {
      yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 20)))
      yield* TestClock.adjust("1 second")
    }
    return yield* Fiber.join(fiber)
  })
