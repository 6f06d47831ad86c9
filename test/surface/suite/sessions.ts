/* oxlint-disable unicorn/no-thenable -- a rule says what is then, as on the wire */
/** Sessions: how they are created and refused, listed, kept apart by app, closed and deleted, and how many there may be. */
import { assert, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import type { Open } from "../Surface.ts"
import { expectRefusal, until } from "./answers.ts"

export const sessions = (open: Open): void => {
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
      assert.deepStrictEqual(session.process, { state: "none", pid: null, restarts: 0, configured: null })
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
        const refused = yield* expectRefusal(ours.create({ agent: "acpx:codex", permissions }), 422, "not_supported")
        assert.match(refused.detail, /behind acpx.*"approve_reads".*the agent "codex" without acpx/)
      }
      yield* ours.create({ agent: "acpx:codex", permissions: "approve_reads" })
      const ofClaude = yield* expectRefusal(ours.create({ agent: "acpx:claude" }), 422, "not_supported")
      assert.match(ofClaude.detail, /^Permissions "deny" can't be kept by Claude Code behind acpx: .*without acpx/)
      yield* ours.create({ agent: "acpx:claude", permissions: "approve_all" })
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

  it.live("a sweep closes sessions over their TTL, deletes those closed long enough, and keeps their audit trail", () =>
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
        ["create", "turn_start", "turn_end", "sweep_close", "sweep_delete"].filter((action) => !actions.has(action)),
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
}
