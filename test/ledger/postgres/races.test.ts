/** What two nodes want at the same moment and only one may have: PostgreSQL lets both look before either commits. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Redacted } from "effect"
import { NodeToken, SessionId } from "../../../src/domain/Ids.ts"
import { Ledger } from "../../../src/ledger/Ledger.ts"
import type { LedgerWrite } from "../../../src/ledger/Ledger.ts"
import * as PostgresLedger from "../../../src/ledger/PostgresLedger.ts"
import { app, opened } from "../samples.ts"
import { emptySchema, server } from "./schemas.ts"

const two = Effect.gen(function* () {
  const url = Redacted.make(yield* emptySchema)
  const scope = yield* Effect.scope
  const one = Effect.map(
    Layer.buildWithScope(Layer.fresh(PostgresLedger.layer(url, { works: "together" })), scope),
    (built) => Context.get(built, Ledger)
  )
  return [yield* one, yield* one] as const
})

const rounds = 25

/** Both write at the same moment, `rounds` times; how many of each round were written. */
const raced = (entries: (round: number, node: number) => ReadonlyArray<LedgerWrite>) =>
  Effect.gen(function* () {
    const ledgers = yield* two
    return yield* Effect.forEach(
      Array.from({ length: rounds }, (_, round) => round),
      (round) =>
        Effect.all(
          ledgers.map((ledger, node) => Effect.exit(ledger.write(entries(round, node)))),
          { concurrency: "unbounded" }
        ).pipe(Effect.map((exits) => exits.filter(Exit.isSuccess).length))
    )
  }).pipe(Effect.scoped)

const ofEach = (n: number) => Array.from({ length: rounds }, () => n)

const session = (round: number, node: number) => SessionId.make(`ses_${round}_${node}`)

describe.skipIf(server === null)("two nodes at once", () => {
  it.live("join under one name: one of them does", () =>
    Effect.gen(function* () {
      const won = yield* raced((round, node) => [
        {
          _tag: "NodeJoined",
          node: { token: NodeToken.make(`node_${round}_${node}`), name: `name-${round}`, url: null, version: "1" },
          leaseMillis: 60_000
        }
      ])
      assert.deepStrictEqual(won, ofEach(1))
    })
  )

  it.live("are asked to drain, the last two: one of them is", () =>
    Effect.gen(function* () {
      const tokens = ["one", "other"].map((name) => NodeToken.make(`node_${name}`))
      const asks = (token: NodeToken, asked: boolean): LedgerWrite => ({ _tag: "NodeDrainAsked", token, asked })
      const ledgers = yield* two
      for (const token of tokens) {
        const node = { token, name: token, url: null, version: "1" }
        yield* ledgers[0].write([{ _tag: "NodeJoined", node, leaseMillis: 60_000 }])
      }
      for (let round = 0; round < rounds; round++) {
        const asked = tokens.map((token, nth) => Effect.exit(ledgers[nth]!.write([asks(token, true)])))
        const exits = yield* Effect.all(asked, { concurrency: "unbounded" })
        assert.strictEqual(exits.filter(Exit.isSuccess).length, 1)
        yield* ledgers[0].write(tokens.map((token) => asks(token, false)))
      }
    }).pipe(Effect.scoped)
  )

  it.live("take the last place for a session: one of them does", () =>
    Effect.gen(function* () {
      const won = yield* raced((round, node) => [
        { _tag: "SessionAdmitted", app, atMost: { all: round + 1, ofApp: rounds }, threadId: null },
        opened({ id: session(round, node) })
      ])
      assert.deepStrictEqual(won, ofEach(1))
    })
  )

  it.live("go on with an agent's conversation: one of them does", () =>
    Effect.gen(function* () {
      const won = yield* raced((round, node) => [
        { _tag: "SessionAdmitted", app, atMost: null, threadId: `thread-${round}` },
        opened({ id: session(round, node), threadId: `thread-${round}` })
      ])
      assert.deepStrictEqual(won, ofEach(1))
    })
  )

  it.live("keep the last memory or skill that an app may have: one of them does", () =>
    Effect.gen(function* () {
      const memories = yield* raced((round, node) => [
        {
          _tag: "MemoryAdded",
          memory: { id: `mem_${round}_${node}`, app, text: "a fact", createdAt: 1, updatedAt: 1 },
          atMost: round + 1
        }
      ])
      const skills = yield* raced((round, node) => [
        {
          _tag: "SkillAdded",
          skill: { app, name: `s-${round}-${node}`, description: "d", body: "b", createdAt: 1, updatedAt: 1 },
          atMost: round + 1
        }
      ])
      assert.deepStrictEqual([memories, skills], [ofEach(1), ofEach(1)])
    })
  )

  it.live("answer one key: one of them has the effect", () =>
    Effect.gen(function* () {
      const won = yield* raced((round, node) => [
        opened({ id: session(round, node) }),
        {
          _tag: "ReceiptOpened",
          receipt: {
            app,
            key: `key-${round}`,
            fingerprint: "f",
            createdAt: 1,
            effect: { _tag: "SessionCreated", session: session(round, node) },
            response: null
          }
        }
      ])
      assert.deepStrictEqual(won, ofEach(1))
    })
  )
})
