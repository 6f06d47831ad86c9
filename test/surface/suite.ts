/* oxlint-disable unicorn/no-thenable -- a rule says what is then, as on the wire */
/**
 * The session surface: what every app relies on, by whichever entry point. Run over HTTP and over the library, with real
 * processes of the demo agent.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { claude } from "./harness.ts"
import type { Open, Refusal } from "./Surface.ts"

const expectRefusal = (answer: Effect.Effect<unknown, Refusal>, status: number, code: string) =>
  Effect.map(Effect.flip(answer), (refused) => {
    assert.containSubset(refused, { status, code })
    return refused
  })

/** Polls until `holds` is true; a test in which it never is runs into its timeout. */
const until = <A>(ask: Effect.Effect<A, Refusal>, holds: (answer: A) => boolean) =>
  Effect.repeat(Effect.delay(ask, "20 millis"), { until: holds })

export const surface = (name: string, open: Open): void => {
  describe(name, () => {
    it.live("a created session is new, has an unguessable id, and is as requested", () =>
      Effect.gen(function* () {
        const { ours } = yield* open()
        const meta = { ticket: "T-1", nested: { camelCase: [1, null, { deep: true }] } }
        const created = yield* ours.create({ agent: "demo", meta })
        assert.match(created.sessionId, /^ses_[\w-]{16,}$/)
        assert.containSubset(created, { agent: "demo", state: "idle" })
        assert.deepStrictEqual(created.meta, meta)
        const session = yield* ours.get(created.sessionId)
        assert.containSubset(session, { turnCount: 0, lastTurnAt: null, closedAt: null, createdAt: created.createdAt })
        assert.deepStrictEqual(session.meta, meta)
        assert.deepStrictEqual(session.process, { state: "none", pid: null, restarts: 0 })
        assert.notStrictEqual((yield* ours.create({})).sessionId, created.sessionId)
      }).pipe(Effect.scoped)
    )

    it.live("an unknown agent, a missing directory, a bad cursor and too many rules are refused by code", () =>
      Effect.gen(function* () {
        const { ours } = yield* open()
        yield* expectRefusal(ours.create({ agent: "nobody" }), 404, "unknown_agent")
        yield* expectRefusal(ours.create({ cwd: "/no/such/directory" }), 400, "invalid_request")
        yield* expectRefusal(ours.list({ limit: 10, cursor: "not ours", state: null }), 400, "invalid_request")
        const rule = { match: { kind: "execute" }, then: "deny" } as const
        const rules = Array.from({ length: 65 }, () => rule)
        const tooMany = yield* expectRefusal(
          ours.create({ permissions: { default: "ask", rules } }),
          400,
          "invalid_request"
        )
        assert.strictEqual(tooMany.detail, "permissions.rules has 65 rules; it takes 64 at most.")
        yield* ours.create({ permissions: { default: "ask", rules: rules.slice(1) } })
      }).pipe(Effect.scoped)
    )

    it.live("permissions that the agent can't be kept to are refused, with those that can", () =>
      Effect.gen(function* () {
        const { ours } = yield* open()
        const rules = [{ match: { kind: "execute" }, then: "deny" }] as const
        for (const permissions of ["ask", { default: "approve_all", rules }] as const) {
          const refused = yield* expectRefusal(ours.create({ agent: "acpx:claude", permissions }), 422, "not_supported")
          assert.match(refused.detail, /behind acpx.*"approve_reads".*the agent "claude" without acpx/)
        }
        yield* ours.create({ agent: "acpx:claude", permissions: "approve_reads" })
      }).pipe(Effect.scoped)
    )

    it.live("a turn takes its prompt to the agent and has the answer, its events and its end", () =>
      Effect.gen(function* () {
        const { ours } = yield* open()
        const { sessionId } = yield* ours.create({})
        const turn = yield* ours.turn(sessionId, "hello there")
        assert.containSubset(turn, {
          ok: true,
          sessionId,
          turnIndex: 1,
          stopReason: "end_turn",
          completed: true,
          partial: false,
          interrupted: false,
          error: null,
          contextLost: false,
          toolIterations: 0
        })
        assert.match(turn.finalText, /^You said: hello there/)
        assert.isTrue(turn.events.length >= 2)
        assert.isTrue(turn.events.slice(0, -1).every(({ method }) => method === "session/update"))
        assert.containSubset(turn.events.at(-1), { jsonrpc: "2.0", id: 1, result: { stopReason: "end_turn" } })
        assert.containSubset(turn.messages.at(-1), { role: "assistant", content: turn.finalText })
        assert.isAtLeast(turn.durationMs, 0)

        const second = yield* ours.turn(sessionId, "recall")
        assert.strictEqual(second.turnIndex, 2)
        assert.deepStrictEqual(JSON.parse(second.finalText), ["hello there"])
        const session = yield* ours.get(sessionId)
        assert.containSubset(session, { state: "idle", turnCount: 2, process: { state: "up" } })
        assert.isNumber(session.process.pid)

        const past = yield* ours.turns(sessionId)
        assert.deepStrictEqual(
          past.map(({ finalText, turnIndex }) => [turnIndex, finalText]),
          [
            [1, turn.finalText],
            [2, second.finalText]
          ]
        )
        assert.deepStrictEqual(past[0]?.events, turn.events)
      }).pipe(Effect.scoped)
    )

    it.live("a turn whose agent dies has what had arrived, and the next turn goes on", () =>
      Effect.gen(function* () {
        const { ours } = yield* open()
        const { sessionId } = yield* ours.create({})
        yield* ours.turn(sessionId, "remember this")
        const died = yield* ours.turn(sessionId, "crash 7")
        assert.containSubset(died, { ok: false, completed: false, partial: true, stopReason: "error" })
        assert.match(died.error!, /^crash: /)
        assert.include(died.finalText, "About to crash.")
        const next = yield* ours.turn(sessionId, "recall")
        assert.isTrue(next.ok, JSON.stringify(next))
        assert.include(next.finalText, "remember this")
        assert.isFalse(next.contextLost)
        assert.strictEqual((yield* ours.get(sessionId)).process.restarts, 1)
      }).pipe(Effect.scoped)
    )

    it.live("words that steer a running turn are in the conversation where the agent took them", () =>
      Effect.gen(function* () {
        const { ours, theirs } = yield* open()
        const { sessionId } = yield* ours.create({})
        yield* expectRefusal(ours.steer(sessionId, "anybody?"), 409, "no_turn")
        yield* ours.turn(sessionId, "hello")
        const running = yield* Effect.forkChild(ours.turn(sessionId, "tool echo first\nhang"))
        yield* until(ours.messages(sessionId), (messages) => messages.some(({ role }) => role === "tool"))
        yield* expectRefusal(theirs.steer(sessionId, "not mine"), 404, "session_not_found")
        yield* expectRefusal(theirs.messages(sessionId), 404, "session_not_found")
        yield* ours.steer(sessionId, "do this instead")
        const turn = yield* Fiber.join(running)
        assert.containSubset(turn, { completed: true, stopReason: "end_turn", apiCalls: 1, compacted: false })
        assert.match(turn.finalText, /You said: do this instead/)
        const messages = yield* ours.messages(sessionId)
        assert.deepStrictEqual(
          messages.map(({ role }) => role),
          ["user", "assistant", "user", "assistant", "tool", "user", "assistant"]
        )
        assert.deepStrictEqual(messages.slice(2), turn.messages)
        assert.deepStrictEqual(messages[5], { role: "user", content: "do this instead" })
        yield* expectRefusal(ours.compact(sessionId), 422, "not_supported")
        yield* ours.close(sessionId)
        yield* expectRefusal(ours.steer(sessionId, "too late"), 410, "session_closed")
        yield* expectRefusal(ours.compact(sessionId), 410, "session_closed")
        assert.deepStrictEqual(yield* ours.messages(sessionId), messages)
      }).pipe(Effect.scoped)
    )

    it.live("another app's sessions look like sessions that never existed", () =>
      Effect.gen(function* () {
        const { ours, theirs } = yield* open()
        const { sessionId } = yield* ours.create({})
        const never = "ses_abcdefghijklmnopqrstuvwxyz"
        for (const ask of [
          (id: string) => theirs.get(id),
          (id: string) => theirs.turn(id, "hello"),
          (id: string) => theirs.turns(id),
          (id: string) => theirs.interrupt(id),
          (id: string) => theirs.close(id),
          (id: string) => theirs.events(id, 0)
        ]) {
          const foreign = yield* expectRefusal(ask(sessionId), 404, "session_not_found")
          assert.deepStrictEqual(yield* expectRefusal(ask(never), 404, "session_not_found"), foreign)
        }
        assert.strictEqual((yield* theirs.list({ limit: 10, cursor: null, state: null })).count, 0)
        assert.strictEqual((yield* ours.get(sessionId)).turnCount, 0)
      }).pipe(Effect.scoped)
    )

    it.live("an app's sessions are listed newest first, page by page and by state", () =>
      Effect.gen(function* () {
        const { ours } = yield* open()
        const made: Array<string> = []
        for (let i = 0; i < 3; i++) made.push((yield* ours.create({ meta: { i } })).sessionId)
        yield* ours.close(made[0]!)
        const first = yield* ours.list({ limit: 2, cursor: null, state: null })
        assert.strictEqual(first.count, 3)
        assert.deepStrictEqual(
          first.sessions.map(({ sessionId }) => sessionId),
          [made[2], made[1]]
        )
        const second = yield* ours.list({ limit: 2, cursor: first.nextCursor, state: null })
        assert.deepStrictEqual(
          second.sessions.map(({ sessionId, state }) => [sessionId, state]),
          [[made[0], "closed"]]
        )
        assert.isNull(second.nextCursor)
        assert.strictEqual((yield* ours.list({ limit: 10, cursor: null, state: "open" })).count, 2)
        assert.strictEqual((yield* ours.list({ limit: 10, cursor: null, state: "closed" })).count, 1)
      }).pipe(Effect.scoped)
    )

    it.live("a second turn is refused while one runs, or waits in line", () =>
      Effect.gen(function* () {
        const { ours } = yield* open()
        const { sessionId } = yield* ours.create({})
        const first = yield* Effect.forkChild(ours.turn(sessionId, "slow 20 20"))
        yield* until(ours.get(sessionId), ({ state }) => state === "turning")
        yield* expectRefusal(ours.turn(sessionId, "me too"), 409, "turn_in_progress")
        const waited = yield* ours.turn(sessionId, "I can wait", { queue: true })
        assert.containSubset(waited, { ok: true, turnIndex: 2 })
        assert.containSubset(yield* Fiber.join(first), { ok: true, turnIndex: 1 })
      }).pipe(Effect.scoped)
    )

    it.live("an interrupt ends the running turn, and says so where none runs", () =>
      Effect.gen(function* () {
        const { ours } = yield* open()
        const { sessionId } = yield* ours.create({})
        assert.isFalse(yield* ours.interrupt(sessionId))
        const turning = yield* Effect.forkChild(ours.turn(sessionId, "hang"))
        yield* until(ours.get(sessionId), ({ process }) => process.state === "up")
        assert.isTrue(yield* ours.interrupt(sessionId))
        assert.containSubset(yield* Fiber.join(turning), {
          ok: true,
          completed: false,
          partial: true,
          interrupted: true,
          stopReason: "cancelled",
          error: null
        })
        assert.isTrue((yield* ours.turn(sessionId, "still there?")).ok)
      }).pipe(Effect.scoped)
    )

    it.live("a session closes once, says so afterwards, and takes no more turns", () =>
      Effect.gen(function* () {
        const { ours } = yield* open()
        const { sessionId } = yield* ours.create({})
        yield* ours.turn(sessionId, "hello")
        assert.deepStrictEqual(yield* ours.close(sessionId), { alreadyClosed: false })
        assert.deepStrictEqual(yield* ours.close(sessionId), { alreadyClosed: true })
        yield* expectRefusal(ours.turn(sessionId, "hello?"), 410, "session_closed")
        const session = yield* ours.get(sessionId)
        assert.containSubset(session, { state: "closed", process: { state: "none", pid: null } })
        assert.isNumber(session.closedAt)
      }).pipe(Effect.scoped)
    )

    it.live("a session that closes interrupts its running turn and keeps the turn's outcome", () =>
      Effect.gen(function* () {
        const { ours } = yield* open()
        const { sessionId } = yield* ours.create({})
        const turning = yield* Effect.forkChild(ours.turn(sessionId, "hang"))
        yield* until(ours.get(sessionId), ({ process }) => process.state === "up")
        assert.isFalse((yield* ours.close(sessionId)).alreadyClosed)
        assert.containSubset(yield* Fiber.join(turning), { interrupted: true, stopReason: "cancelled" })
        assert.lengthOf(yield* ours.turns(sessionId), 1)
      }).pipe(Effect.scoped)
    )

    it.live("the event stream of a session has no gap, from any event on", () =>
      Effect.gen(function* () {
        const { ours } = yield* open()
        const { sessionId } = yield* ours.create({})
        yield* ours.turn(sessionId, "hello")
        yield* ours.close(sessionId)
        const all = yield* ours.events(sessionId, 0)
        assert.deepStrictEqual(
          all.map(([seq]) => seq),
          all.map((_, i) => i + 1)
        )
        assert.isTrue(all.some(([, event]) => event === "message"))
        assert.deepStrictEqual(yield* ours.events(sessionId, 3), all.slice(3))
        assert.deepStrictEqual(yield* ours.events(sessionId, all.length), [])
      }).pipe(Effect.scoped)
    )

    it.live(
      "a sweep closes sessions over their TTL, deletes those closed long enough, and keeps their audit trail",
      () =>
        Effect.gen(function* () {
          const { ours, audit, sweep } = yield* open({ limits: { sessionTtlMillis: 1, sessionHardTtlMillis: 1 } })
          const { sessionId } = yield* ours.create({})
          yield* ours.turn(sessionId, "hello")
          // The clock counts milliseconds: the first sweep may run in the one in which the session was created.
          const swept = yield* until(sweep, ({ softClosed }) => softClosed > 0)
          assert.strictEqual(swept.softClosed, 1)
          const buried = yield* until(sweep, ({ hardDeleted }) => hardDeleted > 0)
          assert.containSubset(buried, { softClosed: 0, hardDeleted: 1 })
          yield* expectRefusal(ours.get(sessionId), 404, "session_not_found")
          assert.strictEqual((yield* ours.list({ limit: 10, cursor: null, state: null })).count, 0)
          if (audit === null) return
          const trail = yield* audit(sessionId)
          const actions = new Set(trail.map(({ action }) => action))
          assert.deepStrictEqual(
            ["create", "turn_start", "turn_end", "sweep_close", "sweep_delete"].filter(
              (action) => !actions.has(action)
            ),
            []
          )
          assert.containSubset(trail[0], { action: "create", actor: "ours" })
          assert.containSubset(trail.at(-1), { action: "sweep_delete", actor: "troupe" })
        }).pipe(Effect.scoped)
    )

    it.live("the limits of sessions and processes hold", () =>
      Effect.gen(function* () {
        const { ours } = yield* open({ limits: { maxSessions: 2, maxProcesses: 1, poolWaitMillis: 1_500 } })
        const first = yield* ours.create({})
        const second = yield* ours.create({})
        yield* expectRefusal(ours.create({}), 503, "pool_full")
        const busy = yield* Effect.forkChild(ours.turn(first.sessionId, "hang"))
        yield* until(ours.get(first.sessionId), ({ process }) => process.state === "up")
        yield* expectRefusal(ours.turn(second.sessionId, "hello"), 503, "pool_full")
        yield* ours.interrupt(first.sessionId)
        yield* Fiber.join(busy)
        // The idle session's process is retired to free a slot.
        assert.isTrue((yield* ours.turn(second.sessionId, "hello")).ok)
        yield* ours.close(first.sessionId)
        assert.isString((yield* ours.create({})).sessionId)
      }).pipe(Effect.scoped)
    )

    it.live("a run takes one prompt through claude, and says what failed where it fails", () =>
      Effect.gen(function* () {
        const { ours } = yield* open({ run: claude('say {"answer":42}') })
        const done = yield* ours.run("what is it?")
        assert.deepStrictEqual(
          { ...done, durationMillis: 0 },
          {
            ok: true,
            result: { answer: 42 },
            durationMillis: 0,
            stopReason: "end_turn"
          }
        )
        const broken = yield* open({ run: claude("stderr it went wrong\nexit 3") })
        const failed = yield* broken.ours.run("what is it?")
        assert.containSubset(failed, { ok: false, stopReason: "error" })
        assert.deepStrictEqual(Object.keys(failed).sort(), ["durationMillis", "error", "ok", "stderr", "stopReason"])
        assert.include(failed.ok ? "" : failed.stderr, "it went wrong")
      }).pipe(Effect.scoped)
    )
  })
}
