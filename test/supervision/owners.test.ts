/** Two nodes on one ledger: a session is at one of them at a time, and what the other one still does for it has no effect. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Effect, Exit, Layer, Option } from "effect"
import { NodeToken } from "../../src/domain/Ids.ts"
import type { SessionId } from "../../src/domain/Ids.ts"
import { passingOf } from "../../src/domain/Refusal.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { ThisNode } from "../../src/runtime/ThisNode.ts"
import { Sessions } from "../../src/services/Sessions.ts"
import { CommandHandler } from "../../src/session/CommandHandler.ts"
import { Supervisor } from "../../src/supervision/Supervisor.ts"
import { scratch } from "../ledger/samples.ts"
import { app, ours, runtimeIn, scriptLayer, stateOf, until, untilRunning } from "../services/harness.ts"

/** Time stands still here, so that it is never renewed. */
const leaseMillis = 60_000

/** A node of this name on the ledger of the directory, until the scope closes. */
const nodeIn = (directory: string, name: string) =>
  Layer.build(runtimeIn(directory, {}, {}, undefined, undefined, { name, url: null, version: "1.0.0", leaseMillis }))

const ledgerOf = (services: Context.Context<Ledger>) => Context.get(services, Ledger)

const submitted = Effect.fnUntraced(function* (id: SessionId, prompt: string) {
  return yield* (yield* Sessions).submit(ours, id, { prompt, queue: true })
})

const create = Effect.gen(function* () {
  return (yield* (yield* Sessions).create(app, { permissions: "ask" })).id
})

/** Why a request was not answered. */
const passing = (exit: Exit.Exit<unknown, unknown>): unknown => {
  if (Exit.isSuccess(exit)) return null
  return passingOf(Option.getOrNull(Cause.findErrorOption(exit.cause)))
}

describe("two nodes on one ledger", () => {
  it.effect("a session of a living node is refused by the other one, which says that it has moved", () =>
    Effect.gen(function* () {
      const directory = yield* scratch
      const first = yield* nodeIn(directory, "first")
      const second = yield* nodeIn(directory, "second")
      const id = yield* create.pipe(Effect.provide(first))
      yield* submitted(id, "hang").pipe(Effect.andThen(untilRunning(id)), Effect.provide(first))

      const refused = yield* Effect.exit(submitted(id, "hello")).pipe(Effect.provide(second))
      assert.strictEqual(passing(refused), "session_moved")
      assert.deepStrictEqual(Context.get(second, Supervisor).views(), [])
      assert.strictEqual(yield* stateOf(id).pipe(Effect.provide(first)), "turning.running")
    }).pipe(Effect.provide(scriptLayer), Effect.scoped)
  )

  it.effect("a session that is asleep is claimed by the node that gets its next turn, once its owner is gone", () =>
    Effect.gen(function* () {
      const directory = yield* scratch
      const second = yield* nodeIn(directory, "second")
      const id = yield* Effect.gen(function* () {
        const first = yield* nodeIn(directory, "first")
        const id = yield* create.pipe(Effect.provide(first))
        yield* Effect.flatMap(submitted(id, "hello"), ({ result }) => result).pipe(Effect.provide(first))
        return id
      }).pipe(Effect.scoped)
      const { turn } = yield* Effect.flatMap(submitted(id, "hello"), ({ result }) => result).pipe(
        Effect.provide(second)
      )
      assert.deepStrictEqual([turn.index, turn.status], [2, "completed"])
      const claims = yield* ledgerOf(second).claims(id, 10)
      assert.deepStrictEqual(
        claims.map(({ epoch, node }) => [epoch, node]),
        [
          [1, "first"],
          [2, "second"]
        ]
      )
    }).pipe(Effect.provide(scriptLayer), Effect.scoped)
  )

  it.effect("a session that a later version of Troupe has had is left as it is, and that is said", () =>
    Effect.gen(function* () {
      const directory = yield* scratch
      const node = yield* nodeIn(directory, "old")
      const id = yield* create.pipe(Effect.provide(node))
      const ledger = ledgerOf(node)
      const newer = NodeToken.make("nod_newer")
      yield* ledger.write([
        { _tag: "NodeJoined", node: { token: newer, name: "new", url: null, version: "2", chart: 1_000 }, leaseMillis },
        { _tag: "SessionClaimed", session: id, owner: newer, chart: 1_000 },
        { _tag: "NodeLeft", token: newer }
      ])
      const refused = yield* Effect.exit(submitted(id, "hello")).pipe(Effect.provide(node))
      assert.strictEqual(passing(refused), "session_newer")
      assert.deepStrictEqual(Context.get(node, Supervisor).views(), [])
      assert.deepStrictEqual(Option.getOrNull(yield* ledger.claimOf(id))?.owner, newer)
      assert.deepStrictEqual(yield* ledger.turns(id, 1, 10), [])
    }).pipe(Effect.provide(scriptLayer), Effect.scoped)
  )

  it.effect("what a node does for a session that was taken over has no effect, and its agent is ended", () =>
    Effect.gen(function* () {
      const directory = yield* scratch
      const first = yield* nodeIn(directory, "first")
      const id = yield* create.pipe(Effect.provide(first))
      const turning = yield* submitted(id, "hang").pipe(
        Effect.tap(() => untilRunning(id)),
        Effect.provide(first)
      )
      assert.deepStrictEqual(Context.get(first, CommandHandler).sessionsWithProcess(), [id])

      // It is taken for one that has left, and works on.
      yield* ledgerOf(first).write([{ _tag: "NodeLeft", token: Context.get(first, ThisNode).token }])
      // The start of the other one settles what it finds.
      const second = yield* nodeIn(directory, "second")
      const stored = yield* ledgerOf(second).turn(id, turning.index)
      assert.deepInclude(Option.getOrThrow(stored), { status: "failed" })
      assert.strictEqual(Option.getOrThrow(stored).failure?.class, "outcome_unknown")

      const late = yield* Effect.exit(Context.get(first, Sessions).interrupt(ours, id))
      assert.strictEqual(passing(late), "session_moved")
      assert.deepStrictEqual(yield* ledgerOf(second).turn(id, turning.index), stored)
      const { sessionsWithProcess } = Context.get(first, CommandHandler)
      yield* until(
        "the end of the process of the first node",
        Effect.sync(() => sessionsWithProcess().length === 0)
      ).pipe(Effect.provide(first))
      assert.deepStrictEqual(Context.get(first, Supervisor).views(), [])
      // And the other one goes on with it.
      const { turn } = yield* Effect.flatMap(submitted(id, "hello"), ({ result }) => result).pipe(
        Effect.provide(second)
      )
      assert.deepStrictEqual([turn.index, turn.status], [2, "completed"])
    }).pipe(Effect.provide(scriptLayer), Effect.scoped)
  )
})
