/** Approvals of real agents: a person is asked before a command runs, and the command runs or not by the answer. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { join } from "node:path"
import { claude, codex, codexAcp } from "./harness/agents.ts"
import { kill } from "./harness/Kernel.ts"
import type { AcpEvent } from "./harness/wire.ts"
import { open, recalled } from "./harness/open.ts"

/** Remembers the id of the last approval that it has seen, since a stream is read for one thing only. */
const asks = (seen: Set<string>) => {
  const asked: { id: string | null; kind: string; title: string } = { id: null, kind: "", title: "" }
  const isIt = ({ method, params }: AcpEvent) => {
    if (method !== "_troupe/approval_asked") return false
    const {
      approval_id: id,
      kind,
      title
    } = params as unknown as {
      readonly approval_id: string
      readonly kind: string
      readonly title: string
    }
    if (seen.has(id)) return false
    seen.add(id)
    Object.assign(asked, { id, kind, title })
    return true
  }
  return { asked, isIt }
}

/** What everybody who follows the session is told of that approval. */
const isWithdrawn =
  (approval: string | null) =>
  ({ method, params }: AcpEvent) => {
    const told = params as unknown as { readonly approval_id?: string; readonly status?: string }
    return method === "_troupe/approval_settled" && told.approval_id === approval && told.status === "withdrawn"
  }

// acpx answers by a rule of its own, so nobody can be asked through it.
describe.each([codex, claude, codexAcp])("$name", ({ holder, name: agent }) => {
  it.live("waits for a person before it runs a command, and does what was said", () =>
    Effect.gen(function* () {
      const { installation, session } = yield* open({ agent, permissions: "ask" })
      const seen = new Set<string>()
      const answered = (prompt: string, decision: "once" | "deny") =>
        Effect.gen(function* () {
          const turn = yield* Effect.forkChild(session.turn(prompt))
          const { asked, isIt } = asks(seen)
          yield* session.hears("the question", isIt)
          const { body, status } = yield* session.answer(asked.id!, decision)
          assert.strictEqual(status, 200)
          assert.include(body, { ok: true, status: "answered", decision })
          return (yield* Fiber.join(turn)).body
        })
      assert.include(yield* answered("ASK:touch granted\nSAY:as you wish", "once"), { ok: true, interrupted: false })
      assert.isTrue(existsSync(installation.file("granted")))
      yield* answered("ASK:touch refused\nSAY:as you wish", "deny")
      assert.isFalse(existsSync(installation.file("refused")))
      assert.strictEqual((yield* session.turn("go on")).status, 200)
    })
  )

  it.live("stops while it waits for a person, and the question is withdrawn", () =>
    Effect.gen(function* () {
      const { installation, session } = yield* open({ agent, permissions: "ask" })
      const turn = yield* Effect.forkChild(session.turn("ASK:touch never\nSAY:as you wish"))
      const { asked, isIt } = asks(new Set())
      yield* session.hears("the question", isIt)
      assert.isTrue((yield* session.interrupt).body.interrupted)
      assert.include((yield* Fiber.join(turn)).body, { interrupted: true, stop_reason: "cancelled" })
      assert.strictEqual((yield* session.answer(asked.id!, "once")).status, 409)
      assert.isFalse(existsSync(installation.file("never")))
      assert.strictEqual((yield* session.turn("go on")).body.final_text, "echo: go on")
    })
  )

  it.live("is killed while it waits for a person: the question is withdrawn aloud, and the next turn remembers", () =>
    Effect.gen(function* () {
      const { installation, session } = yield* open({ agent, permissions: "ask" })
      const first = yield* session.turn("the bird is a heron")
      const turn = yield* Effect.forkChild(session.turn("ASK:touch never\nSAY:as you wish"))
      const { asked, isIt } = asks(new Set())
      yield* session.hears("the question", isIt)
      kill((yield* installation.process("the victim", holder)).pid, "SIGKILL")
      const { body, status } = yield* Fiber.join(turn)
      assert.strictEqual(status, 502)
      assert.match(body.error ?? "", /^crash: /)
      yield* session.hears("the withdrawal", isWithdrawn(asked.id))
      assert.strictEqual((yield* session.answer(asked.id!, "once")).status, 409)
      const next = yield* session.turn("RECALL")
      assert.include(next.body, { ok: true, context_lost: false, thread_id: first.body.thread_id })
      assert.include(recalled(next.body), "the bird is a heron")
      assert.isFalse(existsSync(installation.file("never")))
    })
  )

  it.live("loses its Troupe while it waits for a person: the next one withdraws the question and goes on", () =>
    Effect.gen(function* () {
      const { app, installation, session: before, troupe } = yield* open({ agent, permissions: "ask" })
      const first = yield* before.turn("the bird is a heron")
      yield* before.submit("ASK:touch never\nSAY:as you wish")
      const { asked, isIt } = asks(new Set())
      yield* before.hears("the question", isIt)
      troupe.signal("SIGKILL")
      yield* troupe.ended

      const next = yield* installation.serve()
      const session = next.knownApp(app.token).session(before.id)
      yield* session.hears("the withdrawal", isWithdrawn(asked.id))
      assert.strictEqual((yield* session.answer(asked.id!, "once")).status, 409)
      assert.match((yield* session.stored(2)).error ?? "", /^outcome_unknown: /)
      const { body } = yield* session.turn("RECALL")
      assert.include(body, { ok: true, context_lost: false, thread_id: first.body.thread_id })
      assert.include(recalled(body), "the bird is a heron")
      assert.isFalse(existsSync(installation.file("never")))
    })
  )
})

const elsewhere = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync("/var/tmp/troupe-real-")),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true }))
)

describe(codex.name, () => {
  it.live("says what a change outside of its sandbox would change, and changes it or not by the answer", () =>
    Effect.gen(function* () {
      const { session } = yield* open({ agent: codex.name, permissions: "ask" })
      const seen = new Set<string>()
      // The temporary directory, where the installation is, is inside of the sandbox.
      const outside = join(yield* elsewhere, "heron.txt")
      for (const decision of ["deny", "once"] as const) {
        const turn = yield* Effect.forkChild(session.turn(`WRITE:${outside}|a heron\nSAY:as you wish`))
        const { asked, isIt } = asks(seen)
        yield* session.hears("the question", isIt)
        assert.strictEqual(asked.kind, "edit")
        assert.match(asked.title, /^1 add: .*heron\.txt/)
        assert.isFalse(existsSync(outside))
        assert.strictEqual((yield* session.answer(asked.id!, decision)).status, 200)
        assert.isTrue((yield* Fiber.join(turn)).body.ok)
        assert.strictEqual(existsSync(outside), decision === "once")
      }
    })
  )
})
