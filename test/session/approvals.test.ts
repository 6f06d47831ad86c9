/** Approvals: requested, answered, expired and withdrawn, each in the ledger, the stream and the audit trail. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Sessions } from "../../src/services/Sessions.ts"
import type { SessionId } from "../../src/domain/Ids.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { scratch } from "../ledger/samples.ts"
import { killProcess } from "../services/AgentScript.ts"
import {
  app,
  ours,
  runtimeIn,
  scriptLayer,
  stateOf,
  theirs,
  until,
  untilState,
  withRuntime
} from "../services/harness.ts"

const refusedWith = <A, E extends { readonly code: string; readonly status: number }, R>(
  effect: Effect.Effect<A, E, R>
) => Effect.map(Effect.flip(effect), ({ code, status }) => [status, code])

/** A session whose agent has requested approvals for tools of these kinds, and waits. */
const asking = (...kinds: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const sessions = yield* Sessions
    const { id } = yield* sessions.create(app, { permissions: "ask" })
    const { result } = yield* sessions.submit(ours, id, { prompt: `approvals ${kinds.join(" ")}` })
    const turn = yield* Effect.forkChild(result)
    yield* until(
      `${kinds.length} requests of ${id}`,
      Effect.map(sessions.approvals(ours, id), ({ length }) => length === kinds.length)
    )
    return { id, turn, open: yield* sessions.approvals(ours, id) }
  })

/** The stored events of approvals: turn, approval, status and who decided. */
const approvalEvents = (id: SessionId) =>
  Effect.gen(function* () {
    const ledger = yield* Ledger
    return (yield* ledger.events(id, 0, 1_000)).flatMap(({ message, turn }) => {
      if (!("method" in message) || !message.method.startsWith("_troupe/approval_")) return []
      const { params } = message as { readonly params: Readonly<Record<string, unknown>> }
      return [[turn, params["approval_id"], params["status"] ?? "asked", params["decided_by"] ?? null]]
    })
  })

const trail = (id: SessionId) =>
  Effect.gen(function* () {
    const sessions = yield* Sessions
    return (yield* sessions.audit(id)).flatMap(({ action, actor, detail }) =>
      action === "approval" ? [[actor, detail["status"], detail["decision"]]] : []
    )
  })

const statusOf = (id: SessionId, approval: string) =>
  Effect.gen(function* () {
    const ledger = yield* Ledger
    const row = yield* ledger.approval(id, approval)
    return row._tag === "Some" ? [row.value.status, row.value.decision, row.value.decidedBy] : ["none"]
  })

describe("approvals", () => {
  it.effect(
    "an approval waits for its answer, which reaches the agent, the stream, the ledger and the audit trail",
    () =>
      Effect.gen(function* () {
        const sessions = yield* Sessions
        const { id, open, turn } = yield* asking("execute")
        const [one] = open
        assert.match(one!.id, /^apr_[\w-]{27}$/)
        assert.containSubset(one, {
          session: id,
          turn: 1,
          kind: "execute",
          title: "use execute",
          toolCallId: "t0",
          raw: { kind: "execute" },
          status: "pending",
          decision: null
        })
        assert.strictEqual(one!.deadlineAt - one!.createdAt, 300_000)
        const settled = yield* sessions.answer(ours, id, one!.id, "session")
        assert.containSubset(settled, { status: "answered", decision: "session", decidedBy: "ours" })
        const { events, finalText } = yield* Fiber.join(turn)
        assert.strictEqual(finalText, "session")
        assert.isFalse(events.some((message) => "method" in message && message.method.startsWith("_troupe/")))
        assert.deepStrictEqual(yield* approvalEvents(id), [
          [1, one!.id, "asked", null],
          [1, one!.id, "answered", "ours"]
        ])
        assert.deepStrictEqual(yield* trail(id), [["ours", "answered", "session"]])
        assert.deepStrictEqual(yield* sessions.approvals(ours, id), [])
      }).pipe(withRuntime())
  )

  it.effect("several approvals are answered in any order, and the session is asking until the last", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const { id, open, turn } = yield* asking("read", "edit", "execute")
      const of = (kind: string) => open.find((approval) => approval.kind === kind)!.id
      yield* sessions.answer(ours, id, of("execute"), "deny")
      yield* sessions.answer(ours, id, of("read"), "once")
      assert.strictEqual(yield* stateOf(id), "turning.asking")
      yield* sessions.answer(ours, id, of("edit"), "session")
      assert.strictEqual((yield* Fiber.join(turn)).finalText, "once session deny")
    }).pipe(withRuntime())
  )

  it.effect("an unanswered approval is denied at its deadline and can't be answered any more", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const { id, open, turn } = yield* asking("execute")
      yield* TestClock.adjust("50 seconds")
      assert.strictEqual(yield* stateOf(id), "turning.asking")
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* Fiber.join(turn)).finalText, "deny")
      assert.deepStrictEqual(yield* statusOf(id, open[0]!.id), ["expired", "deny", "troupe"])
      assert.deepStrictEqual(yield* trail(id), [["troupe", "expired", "deny"]])
      const late = sessions.answer(ours, id, open[0]!.id, "once")
      assert.deepStrictEqual(yield* refusedWith(late), [409, "approval_settled"])
    }).pipe(withRuntime({ approvalTimeoutMillis: 60_000 }))
  )

  it.effect("an approval takes one answer: a second one is refused while another approval is still open", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const { id, open } = yield* asking("read", "edit")
      const first = open[0]!.id
      const both = yield* Effect.all(
        [Effect.exit(sessions.answer(ours, id, first, "once")), Effect.exit(sessions.answer(ours, id, first, "deny"))],
        { concurrency: 2 }
      )
      assert.deepStrictEqual(both.map(({ _tag }) => _tag).sort(), ["Failure", "Success"])
      assert.strictEqual((yield* trail(id)).length, 1)
      yield* sessions.answer(ours, id, open[1]!.id, "once")
    }).pipe(withRuntime())
  )

  it.effect("an approval is not found by another app, nor in another session", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const { id, open } = yield* asking("edit")
      const { id: neighbour } = yield* sessions.create(app, {})
      const answer = (who: typeof ours, session: string, approval: string) =>
        refusedWith(sessions.answer(who, session, approval, "once"))
      assert.deepStrictEqual(yield* answer(theirs, id, open[0]!.id), [404, "session_not_found"])
      assert.deepStrictEqual(yield* refusedWith(sessions.approvals(theirs, id)), [404, "session_not_found"])
      assert.deepStrictEqual(yield* answer(ours, neighbour, open[0]!.id), [404, "approval_not_found"])
      assert.deepStrictEqual(yield* answer(ours, id, "apr_none"), [404, "approval_not_found"])
      assert.deepStrictEqual(yield* statusOf(id, open[0]!.id), ["pending", null, null])
    }).pipe(withRuntime())
  )

  it.effect("an approval is withdrawn when its turn is interrupted, before the turn's last event", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const { id, open, turn } = yield* asking("edit", "execute")
      assert.isTrue(yield* sessions.interrupt(ours, id))
      assert.isTrue((yield* Fiber.join(turn)).turn.interrupted)
      for (const approval of open) {
        assert.deepStrictEqual(yield* statusOf(id, approval.id), ["withdrawn", "deny", "troupe"])
        assert.deepStrictEqual(yield* refusedWith(sessions.answer(ours, id, approval.id, "once")), [
          409,
          "approval_settled"
        ])
      }
      const ledger = yield* Ledger
      // Behind that event is only what says that the turn has ended.
      const [last, ended] = (yield* ledger.eventsOfTurn(id, 1)).slice(-2)
      assert.isFalse("method" in last!.message)
      assert.containSubset(ended?.message, { method: "_troupe/turn", params: { phase: "ended" } })
      assert.strictEqual((yield* approvalEvents(id)).filter(([, , status]) => status === "withdrawn").length, 2)
    }).pipe(withRuntime())
  )

  it.effect("an approval is withdrawn when the agent's process dies, and when its session is closed", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const dying = yield* asking("edit")
      yield* killProcess(dying.id)
      assert.strictEqual((yield* Fiber.join(dying.turn)).turn.status, "failed")
      assert.deepStrictEqual(yield* statusOf(dying.id, dying.open[0]!.id), ["withdrawn", "deny", "troupe"])

      const closing = yield* asking("edit")
      yield* Effect.forkChild(sessions.close(ours, closing.id))
      assert.strictEqual((yield* Fiber.join(closing.turn)).turn.status, "interrupted")
      assert.deepStrictEqual(yield* statusOf(closing.id, closing.open[0]!.id), ["withdrawn", "deny", "troupe"])
    }).pipe(withRuntime())
  )

  it.effect(
    "an approval of a turn that Troupe's death ended is withdrawn at recovery, with its event and audit line",
    () =>
      Effect.gen(function* () {
        const directory = yield* scratch
        const before = yield* Effect.scoped(
          Effect.gen(function* () {
            const context = yield* Layer.build(runtimeIn(directory))
            return yield* asking("edit").pipe(Effect.provide(context))
          })
        )
        yield* Effect.gen(function* () {
          const sessions = yield* Sessions
          assert.deepStrictEqual(yield* sessions.approvals(ours, before.id), [])
          assert.deepStrictEqual(yield* statusOf(before.id, before.open[0]!.id), ["withdrawn", "deny", "troupe"])
          assert.deepStrictEqual((yield* approvalEvents(before.id)).at(-1), [
            1,
            before.open[0]!.id,
            "withdrawn",
            "troupe"
          ])
          assert.deepStrictEqual(yield* trail(before.id), [["troupe", "withdrawn", "deny"]])
          const { result } = yield* sessions.submit(ours, before.id, { prompt: "hello" })
          assert.strictEqual((yield* result).turn.status, "completed")
        }).pipe(Effect.provide(runtimeIn(directory)))
      }).pipe(Effect.provide(scriptLayer), Effect.scoped)
  )

  it.effect("a live reader of a turn's events gets its approvals as they happen", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const { id } = yield* sessions.create(app, { permissions: "ask" })
      const { events, result } = yield* sessions.submit(ours, id, { prompt: "approvals edit" })
      const seen = yield* Effect.forkChild(Stream.runCollect(events))
      yield* untilState(id, "turning.asking")
      const [one] = yield* sessions.approvals(ours, id)
      yield* sessions.answer(ours, id, one!.id, "once")
      yield* result
      const methods = (yield* Fiber.join(seen)).flatMap(({ message }) => ("method" in message ? [message.method] : []))
      assert.containSubset(methods, ["_troupe/approval_asked", "_troupe/approval_settled"])
    }).pipe(withRuntime())
  )

  it.effect("a request that belongs to an earlier turn is denied, and nobody is asked", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const { id } = yield* sessions.create(app, { permissions: "ask" })
      yield* (yield* sessions.submit(ours, id, { prompt: "hello" })).result
      const { result } = yield* sessions.submit(ours, id, { prompt: "late-approval" })
      const asked = Effect.map(sessions.approvals(ours, id), ({ length }) => length > 0)
      const ended = Effect.map(stateOf(id), (state) => state === "idle.awake")
      yield* until(
        "the end of the turn, or a question",
        Effect.zipWith(asked, ended, (asked, ended) => asked || ended)
      )
      assert.deepStrictEqual(yield* approvalEvents(id), [])
      assert.strictEqual((yield* result).finalText, "deny")
    }).pipe(withRuntime())
  )
})
