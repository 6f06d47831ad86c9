/** A real agent's process is killed: the session says what happened, and the next turn knows what was said before. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { agents, claude, claudeViaAcpx, nativeClaude } from "./harness/agents.ts"
import type { RealAgent } from "./harness/agents.ts"
import { isReaped, kill } from "./harness/Kernel.ts"
import { open, recalled } from "./harness/open.ts"
import { until } from "./harness/until.ts"
import type { Session } from "./harness/App.ts"

const remembers = Effect.fnUntraced(function* (session: Session, text: string) {
  const { body, status } = yield* session.turn("RECALL")
  assert.strictEqual(status, 200)
  assert.include(recalled(body), text)
  assert.strictEqual(body.context_lost, false)
})

/** While nothing is asked of it. Its parent knows before the next turn comes: what is in between is a death mid-turn. */
const diesIdle = Effect.fnUntraced(function* (agent: RealAgent) {
  const { installation, session } = yield* open({ agent: agent.name })
  yield* session.turn("the bird is a heron")
  const { pid } = yield* installation.process("the victim", agent.holder)
  if (agent.showsPid) assert.strictEqual((yield* session.get).process.pid, pid)
  kill(pid, "SIGKILL")
  yield* until("the parent's knowledge", () => isReaped(pid))
  yield* remembers(session, "the bird is a heron")
})

/** In the middle of a turn that would take half a minute. What had arrived is kept. */
const diesMidTurn = Effect.fnUntraced(function* (agent: RealAgent, victim: RegExp) {
  const { installation, session } = yield* open({ agent: agent.name })
  yield* session.turn("the bird is a heron")
  const turn = yield* Effect.forkChild(session.turn("SLOW:600x50"))
  yield* session.hears("the first words", ({ params, ...rest }) =>
    JSON.stringify(params?.update ?? rest).includes("w1 ")
  )
  kill((yield* installation.process("the victim", victim)).pid, "SIGKILL")
  const { body, status } = yield* Fiber.join(turn)
  assert.strictEqual(status, 502)
  assert.include(body, { ok: false, partial: true, completed: false, interrupted: false, stop_reason: "error" })
  assert.match(body.error ?? "", /^crash: /)
  assert.match(body.final_text, /^w1 /)
  assert.notInclude(body.final_text, "w600")
  const stored = yield* session.stored(2)
  assert.include(stored, { status: "failed", error: body.error, final_text: body.final_text })
  yield* remembers(session, "the bird is a heron")
})

describe.each(agents)("$name", (agent) => {
  it.live("comes back with its memory when it was killed while idle", () => diesIdle(agent))

  it.live("fails the turn it was killed in, keeps what it said, and comes back with its memory", () =>
    diesMidTurn(agent, agent.holder)
  )
})

describe.each([claude, claudeViaAcpx])("the native claude under $name", (agent) => {
  it.live("is replaced with its memory when it was killed while idle, at the latest by the turn after next", () =>
    Effect.gen(function* () {
      const { installation, session } = yield* open({ agent: agent.name })
      yield* session.turn("the bird is a heron")
      kill((yield* installation.process("the victim", nativeClaude)).pid, "SIGKILL")
      // Only the adapter can notice, in its own time. A prompt that comes before is lost, and may not be handed twice.
      const next = yield* session.turn("RECALL")
      if (next.status === 502) assert.match(next.body.error ?? "", /^crash: .*send the turn again/s)
      else assert.include(recalled(next.body), "the bird is a heron")
      yield* remembers(session, "the bird is a heron")
    })
  )

  it.live("fails the turn it was killed in, and a new one takes over with its memory", () =>
    diesMidTurn(agent, nativeClaude)
  )
})

describe("the acpx program that carries a prompt", () => {
  it.live("fails the turn it was killed in, and leaves no owner finishing it alone", () =>
    diesMidTurn(claudeViaAcpx, /acpx.* prompt /)
  )
})
