/**
 * When a real codex is given up and when it is kept: deadlines, silence, refused accounts, broken bounds.
 *
 * Given up, its process is retired once and never used again, and the next turn has another process and the same thread.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { claude, codex, codexAcp } from "./harness/agents.ts"
import type { Session } from "./harness/App.ts"
import type { Installation } from "./harness/Installation.ts"
import { kill } from "./harness/Kernel.ts"
import { open, recalled } from "./harness/open.ts"
import type { Server } from "./harness/Server.ts"
import type { AcpEvent } from "./harness/wire.ts"

/** A codex that has a turn behind it, and its process. */
const acquainted = Effect.fnUntraced(function* (settings: Readonly<Record<string, string>> = {}) {
  const opened = yield* open({ agent: codex.name }, settings)
  const { body } = yield* opened.session.turn("the bird is a heron")
  const { pid } = (yield* opened.session.get).process
  assert.isNotNull(pid)
  return { ...opened, pid: pid!, thread: body.thread_id }
})

const retirements = (troupe: Server, session: Session) =>
  Effect.map(troupe.audit(session.id), (trail) => trail.filter(({ action }) => action === "retire"))

interface Past {
  readonly installation: Installation
  readonly session: Session
  readonly troupe: Server
  readonly pid: number
  readonly thread: string | null
}

const remembers = Effect.fnUntraced(function* ({ session, thread }: Past) {
  const { body, status } = yield* session.turn("RECALL")
  assert.strictEqual(status, 200)
  assert.include(body, { ok: true, thread_id: thread, context_lost: false })
  assert.include(recalled(body), "the bird is a heron")
  return (yield* session.get).process.pid
})

const wasRetired = Effect.fnUntraced(function* (past: Past) {
  assert.notStrictEqual(yield* remembers(past), past.pid)
  assert.notInclude(
    past.installation.running().map(({ pid }) => pid),
    past.pid
  )
  assert.strictEqual((yield* retirements(past.troupe, past.session)).length, 1)
})

const wasKept = Effect.fnUntraced(function* (past: Past) {
  assert.strictEqual(yield* remembers(past), past.pid)
  assert.deepStrictEqual(yield* retirements(past.troupe, past.session), [])
})

const endsTool = ({ params }: AcpEvent) =>
  params?.update?.sessionUpdate === "tool_call_update" && params.update["status"] === "completed"

const quiet = { TROUPE_POST_TOOL_QUIET: "1 second" }

describe("codex", () => {
  it.live("is kept after good turns", () => Effect.flatMap(acquainted(), wasKept))

  it.live("is retired at the deadline of a turn", () =>
    Effect.gen(function* () {
      const past = yield* acquainted()
      const { body, status } = yield* past.session.turn("HANG", { timeout_s: 1 })
      assert.strictEqual(status, 504)
      assert.include(body, { ok: false, partial: true, interrupted: true, completed: false, stop_reason: "error" })
      assert.match(body.error ?? "", /^timeout: /)
      yield* wasRetired(past)
    })
  )

  it.live("is kept where it was quiet after a tool and answers the probe", () =>
    Effect.gen(function* () {
      const past = yield* acquainted(quiet)
      const { body, status } = yield* past.session.turn("RUN:true\nHANG")
      assert.strictEqual(status, 504)
      assert.include(body, { ok: false, interrupted: true, tool_iterations: 1 })
      assert.match(body.error ?? "", /^timeout: /)
      yield* wasKept(past)
    })
  )

  it.live("is retired where it was quiet after a tool and does not answer the probe", () =>
    Effect.gen(function* () {
      const past = yield* acquainted(quiet)
      const turn = yield* Effect.forkChild(past.session.turn("RUN:true\nHANG"))
      yield* past.session.hears("the tool's end", endsTool)
      kill(past.pid, "SIGSTOP")
      const { body, status } = yield* Fiber.join(turn)
      assert.strictEqual(status, 504)
      assert.match(body.error ?? "", /^timeout: /)
      yield* wasRetired(past)
    })
  )

  it.live("is retired where it does not take a prompt", () =>
    Effect.gen(function* () {
      const past = yield* acquainted()
      kill(past.pid, "SIGSTOP")
      const { body, status } = yield* past.session.turn("hello?")
      assert.strictEqual(status, 502)
      assert.match(body.error ?? "", /^timeout: Codex did not take the prompt in time/)
      yield* wasRetired(past)
    })
  )

  it.live("is retired where it does not shake hands", () =>
    Effect.gen(function* () {
      const { session, troupe } = yield* open({ agent: "late-codex" })
      const { body, status } = yield* session.turn("hello?")
      assert.strictEqual(status, 502)
      assert.match(body.error ?? "", /^timeout: Codex did not answer initialize in time/)
      assert.strictEqual((yield* retirements(troupe, session)).length, 1)
      const next = yield* session.turn("and now?")
      assert.include(next.body, { ok: true, final_text: "echo: and now?" })
    })
  )

  it.live("is retired where its account is refused", () =>
    Effect.gen(function* () {
      const past = yield* acquainted()
      const { body, status } = yield* past.session.turn("ERR:401")
      assert.strictEqual(status, 502)
      assert.match(body.error ?? "", /^auth: /)
      yield* wasRetired(past)
    })
  )

  it.live("is kept where its model refuses a request", () =>
    Effect.gen(function* () {
      const past = yield* acquainted()
      assert.match((yield* past.session.turn("ERR:400")).body.error ?? "", /^model: /)
      yield* wasKept(past)
    })
  )

  it.live("is retired where it writes more in a line than anybody holds", () =>
    Effect.gen(function* () {
      const past = yield* acquainted()
      const { body, status } = yield* past.session.turn("BIG:34")
      assert.strictEqual(status, 502)
      assert.match(body.error ?? "", /a line of more than/)
      yield* wasRetired(past)
    })
  )
})

describe.each([claude, codexAcp])("$name", ({ name: agent }) => {
  it.live("is not waited for where it is quiet after a tool, and goes on with what it knows", () =>
    Effect.gen(function* () {
      const { session } = yield* open({ agent, permissions: "approve_all" }, quiet)
      yield* session.turn("the bird is a heron")
      const { body, status } = yield* session.turn("RUN:touch done\nHANG")
      assert.strictEqual(status, 504)
      assert.match(body.error ?? "", /^timeout: /)
      const next = yield* session.turn("RECALL")
      assert.include(recalled(next.body), "the bird is a heron")
    })
  )
})
