/** Troupe itself is killed, or asked to go, while real agents work. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { speaks } from "./harness/App.ts"
import { agents, claude, codex, lingering } from "./harness/agents.ts"
import * as Installation from "./harness/Installation.ts"
import { open, recalled } from "./harness/open.ts"
import { until } from "./harness/until.ts"

describe.each(agents)("$name", ({ name: agent }) => {
  it.live("is gone before the next Troupe serves, its turn has one outcome, and the next turn has the context", () =>
    Effect.gen(function* () {
      const installation = yield* Installation.make
      const killed = yield* installation.serve()
      const { create, token } = yield* killed.app("survivor")
      const before = yield* create({ agent, cwd: installation.cwd, permissions: "approve_all" })
      yield* before.turn("the bird is a heron")
      assert.strictEqual((yield* before.submit("RUN:./linger.sh")).status, 202)
      yield* until("the command's beginning", () => existsSync(installation.file("lingering")))
      yield* installation.process("the command", lingering)
      killed.signal("SIGKILL")
      assert.deepStrictEqual(yield* killed.ended, { code: null, signal: "SIGKILL" })

      const troupe = yield* installation.serve()
      assert.deepStrictEqual(
        installation.running().map(({ pid }) => pid),
        [troupe.pid],
        "who runs when the port is open"
      )
      const session = troupe.knownApp(token).session(before.id)
      const lost = yield* session.stored(2)
      assert.include(lost, { status: "failed", ok: false, partial: true, stop_reason: "error" })
      assert.match(lost.error ?? "", /^outcome_unknown: /)
      const ends = (yield* troupe.audit(session.id)).filter(({ action }) => action === "turn_end")
      assert.deepStrictEqual(
        ends.map(({ detail }) => detail["turn"]),
        [1, 2]
      )
      const { body, status } = yield* session.turn("RECALL")
      assert.strictEqual(status, 200)
      assert.include(recalled(body), "the bird is a heron")
      assert.strictEqual(body.context_lost, false)
    })
  )
})

describe("codex, which goes on while Troupe is stopped", () => {
  /** What codex has written of its threads. */
  const rollouts = (installation: Installation.Installation) => {
    const sessions = installation.file("../codex/sessions")
    return readdirSync(sessions, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".jsonl"))
      .map((name) => readFileSync(join(sessions, name), "utf8"))
      .join("\n")
  }

  it.live("has its turn recovered by the next Troupe, and the stored outcome keeps its history", () =>
    Effect.gen(function* () {
      const installation = yield* Installation.make
      const killed = yield* installation.serve()
      const { create, token } = yield* killed.app("survivor")
      const before = yield* create({ agent: codex.name, cwd: installation.cwd, permissions: "approve_all" })
      yield* before.turn("the bird is a heron")
      const prompt = "RUN:echo made > made\nSLOW:40x50"
      assert.strictEqual((yield* before.submit(prompt)).status, 202)
      yield* before.hears("the first words", ({ params, ...rest }) =>
        JSON.stringify(params?.update ?? rest).includes("w1 ")
      )
      killed.signal("SIGSTOP")
      yield* until("the end of the turn in codex's record", () => {
        const record = rollouts(installation)
        return record.includes("w40") && record.split('"task_complete"').length === 3
      })
      killed.signal("SIGKILL")
      assert.deepStrictEqual(yield* killed.ended, { code: null, signal: "SIGKILL" })

      const troupe = yield* installation.serve()
      const session = troupe.knownApp(token).session(before.id)
      const lost = yield* session.stored(2)
      assert.match(lost.error ?? "", /^outcome_unknown: /)
      assert.isNull(lost.recovered)
      const next = yield* session.turn("RECALL")
      assert.strictEqual(next.status, 200)
      const { recovered, ...outcome } = yield* session.stored(2)
      assert.deepStrictEqual({ ...outcome, recovered: null }, lost)
      assert.match(recovered?.final_text.trim() ?? "", /^w1 .* w40$/)
      assert.deepStrictEqual(
        recovered?.messages.map(({ role }) => role),
        ["user", "assistant", "tool", "assistant"]
      )
      assert.strictEqual(recovered?.messages[0]?.content, prompt)
      const first = yield* session.stored(1)
      assert.deepStrictEqual(yield* session.messages, [
        ...first.messages,
        ...(recovered?.messages ?? []),
        ...next.body.messages
      ])
    })
  )
})

describe("SIGTERM", () => {
  it.live.each([codex, claude])("lets a running turn of $name finish, and leaves nobody", ({ name: agent }) =>
    Effect.gen(function* () {
      const { installation, session, troupe } = yield* open({ agent })
      const turn = yield* Effect.forkChild(session.turn("SLOW:40x50"))
      yield* session.hears("the first words", speaks)
      assert.deepStrictEqual(yield* troupe.stop, { code: 0, signal: null })
      assert.deepStrictEqual(installation.running(), [])
      const { body, status } = yield* Fiber.join(turn)
      assert.strictEqual(status, 200)
      assert.match(body.final_text.trim(), /^w1 .* w40$/)
    })
  )
})

describe("a second SIGTERM", () => {
  it.live("does not wait for a turn that never ends, which has one outcome all the same", () =>
    Effect.gen(function* () {
      const { app, installation, session, troupe } = yield* open({ agent: codex.name })
      yield* session.submit("HANG")
      yield* until("the model's part", () => installation.model.asked().some(({ prompt }) => prompt === "HANG"))
      troupe.signal("SIGTERM")
      yield* until("the drain", () => troupe.log().includes("draining"))
      assert.deepStrictEqual(yield* troupe.stop, { code: 0, signal: null })
      assert.deepStrictEqual(installation.running(), [])

      const next = yield* installation.serve()
      const turn = yield* next.knownApp(app.token).session(session.id).stored(1)
      assert.include(turn, { completed: false, partial: true })
      assert.oneOf(turn.status, ["interrupted", "failed"])
      const ends = (yield* next.audit(session.id)).filter(({ action }) => action === "turn_end")
      assert.strictEqual(ends.length, 1)
    })
  )
})

describe("SIGINT and SIGHUP", () => {
  it.live.each(["SIGINT", "SIGHUP"] as const)("%s ends it with 0 while an agent is awake", (signal) =>
    Effect.gen(function* () {
      const { installation, session, troupe } = yield* open({ agent: codex.name })
      yield* session.turn("hello")
      troupe.signal(signal)
      assert.deepStrictEqual(yield* troupe.ended, { code: 0, signal: null })
      assert.deepStrictEqual(installation.running(), [])
    })
  )
})
