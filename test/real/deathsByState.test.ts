/** The agent is killed in each state but those of `deaths.test.ts`. One outcome, nothing left, and the memory is there. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { existsSync } from "node:fs"
import { speaks } from "./harness/App.ts"
import type { Session } from "./harness/App.ts"
import { claude, codex, codexAcp, lingering } from "./harness/agents.ts"
import type { RealAgent } from "./harness/agents.ts"
import { kill } from "./harness/Kernel.ts"
import { open, recalled } from "./harness/open.ts"
import { isShort } from "./harness/short.ts"
import { until } from "./harness/until.ts"

const remembers = Effect.fnUntraced(function* (session: Session) {
  const { body, status } = yield* session.turn("RECALL")
  assert.strictEqual(status, 200)
  assert.include(recalled(body), "the bird is a heron")
  assert.strictEqual(body.context_lost, false)
})

/** A session that has something to remember. */
const remembering = Effect.fnUntraced(function* (
  agent: RealAgent,
  settings: Readonly<Record<string, string>> = {},
  permissions: "deny" | "approve_all" = "deny"
) {
  const scene = yield* open({ agent: agent.name, permissions }, settings)
  yield* scene.session.turn("the bird is a heron")
  return { ...scene, victim: scene.installation.process("the victim", agent.holder) }
})

describe.skipIf(isShort).each([codex, claude, codexAcp])("$name", (agent) => {
  it.live("that runs a command leaves no process of that, and fails its turn", () =>
    Effect.gen(function* () {
      const { installation, session, victim } = yield* remembering(agent, {}, "approve_all")
      const turn = yield* Effect.forkChild(session.turn("RUN:./linger.sh"))
      yield* until("the command's beginning", () => existsSync(installation.file("lingering")))
      const { pid: command } = yield* installation.process("the command", lingering)
      kill((yield* victim).pid, "SIGKILL")
      const { body, status } = yield* Fiber.join(turn)
      assert.strictEqual(status, 502)
      assert.match(body.error ?? "", /^crash: /)
      yield* until("the command's end", () => !installation.running().some(({ pid }) => pid === command))
      yield* remembers(session)
    })
  )

  it.live("that does not hear an interrupt has its turn ended as interrupted", () =>
    Effect.gen(function* () {
      const { session, victim } = yield* remembering(agent)
      const turn = yield* Effect.forkChild(session.turn("SLOW:600x50"))
      yield* session.hears("the first words", (event) => speaks(event) && JSON.stringify(event).includes("w1 "))
      const { pid } = yield* victim
      kill(pid, "SIGSTOP")
      const interrupt = yield* Effect.forkChild(session.interrupt)
      yield* Effect.sleep("200 millis")
      kill(pid, "SIGKILL")
      yield* Fiber.join(interrupt)
      const { body } = yield* Fiber.join(turn)
      assert.include(body, { interrupted: true, completed: false })
      assert.include(yield* session.stored(2), { status: "interrupted", final_text: body.final_text })
      yield* remembers(session)
    })
  )

  it.live("that is being ended falls asleep, and its death counts for nothing", () =>
    Effect.gen(function* () {
      const { session, victim } = yield* remembering(agent, { TROUPE_HIBERNATE_AFTER: "1 second" })
      const { pid } = yield* victim
      kill(pid, "SIGSTOP")
      yield* session.becomes("its retirement", ({ state }) => state === "retiring")
      kill(pid, "SIGKILL")
      const { process } = yield* session.becomes(
        "sleep",
        ({ process, state }) => state === "idle" && process.pid === null
      )
      assert.deepInclude(process, { state: "none", restarts: 0 })
      yield* remembers(session)
    })
  )

  it.live("that is waking has one outcome for the turn that woke it", () =>
    Effect.gen(function* () {
      const { installation, session } = yield* remembering(agent, { TROUPE_HIBERNATE_AFTER: "500 millis" })
      yield* session.becomes("sleep", ({ process, state }) => state === "idle" && process.pid === null)
      const turn = yield* Effect.forkChild(session.turn("wake up"))
      kill((yield* installation.process("the victim", agent.holder)).pid, "SIGKILL")
      const { body } = yield* Fiber.join(turn)
      const stored = yield* session.stored(2)
      // It had not been given the prompt, which another process may have got.
      if (body.ok) assert.include(stored, { status: "completed", final_text: "echo: wake up" })
      else assert.match(String(stored.error), /^crash: /)
      yield* remembers(session)
    })
  )
})
