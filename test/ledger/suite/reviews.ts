/** Counters, reviews, memories and skills: what is read back, what the schema refuses, and what outlives its session. */
import { assert, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import type { ReviewRecord, Skill } from "../../../src/domain/Review.ts"
import { NodeToken, SessionId } from "../../../src/domain/Ids.ts"
import { noUsage } from "../../../src/domain/Turn.ts"
import type { LedgerWrite } from "../../../src/ledger/Ledger.ts"
import { app, id, opened, otherApp, usage } from "../samples.ts"
import type { LedgerUnderTest } from "./ledgerSuite.ts"

const refusal = (effect: Effect.Effect<unknown, { readonly message: string }>) =>
  Effect.map(Effect.flip(effect), (error) => error.message)

const at = 1_700_000_003_000

const review = (fields: Partial<ReviewRecord> = {}): ReviewRecord => ({
  id: "rev_1",
  session: id,
  turn: 10,
  reviewMemory: true,
  reviewSkills: false,
  mode: "codex_responses",
  model: "large",
  startedAt: at,
  endedAt: null,
  ending: null,
  reason: null,
  iterations: 0,
  wrote: [],
  usage: noUsage,
  ...fields
})

const [here, there] = [NodeToken.make("node_here"), NodeToken.make("node_there")]

const joins = (token: NodeToken, leaseMillis: number): LedgerWrite => ({
  _tag: "NodeJoined",
  node: { token, name: token, url: null, version: "1.0.0" },
  leaseMillis
})

const started = (fields: Partial<ReviewRecord> = {}, owner = here): LedgerWrite => ({
  _tag: "ReviewStarted",
  record: review(fields),
  owner
})

const memory = (n: number) => ({ id: `mem_${n}`, app, text: `fact ${n}`, createdAt: at + n, updatedAt: at + n })

const skill = (name: string): Skill => ({
  name,
  app,
  description: "When the tests are red.",
  body: "# Do\n1. this",
  createdAt: at,
  updatedAt: at
})

export const nudges = ({ onLedger }: LedgerUnderTest) => {
  it.effect("nudge counters are read as they were counted, and a turn is not counted twice", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        yield* ledger.write([opened()])
        assert.deepStrictEqual(yield* ledger.nudgeCounters(id), Option.none())
        const counted = (turn: number, userTurns: number): LedgerWrite => ({
          _tag: "NudgesCounted",
          nudges: { session: id, turn, userTurns, toolIterations: 3 }
        })
        yield* ledger.write([counted(1, 1)])
        yield* ledger.write([counted(2, 2)])
        assert.match(yield* refusal(ledger.write([counted(2, 3)])), /counted already/)
        assert.deepStrictEqual(
          yield* ledger.nudgeCounters(id),
          Option.some({ session: id, turn: 2, userTurns: 2, toolIterations: 3 })
        )
      })
    )
  )
}

export const reviews = ({ onLedger }: LedgerUnderTest) => {
  it.effect("reviews are read newest first with what they wrote and used, and end once", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        yield* ledger.write([opened(), started()])
        assert.deepStrictEqual(yield* ledger.reviews(id, 10), [review()])
        const wrote = [{ tool: "memory", action: "add", name: "mem_1" }] as const
        yield* ledger.write([
          { _tag: "ReviewPatched", id: "rev_1", patch: { iterations: 1, wrote, usage: usage(10) } },
          {
            _tag: "ReviewPatched",
            id: "rev_1",
            patch: {
              iterations: 2,
              wrote,
              usage: usage(20),
              ended: { at: at + 5, ending: "cancelled", reason: "a turn began" }
            }
          }
        ])
        const first = review({
          iterations: 2,
          wrote,
          usage: usage(20),
          endedAt: at + 5,
          ending: "cancelled",
          reason: "a turn began"
        })
        yield* ledger.write([started({ id: "rev_2", startedAt: at + 9 })])
        assert.deepStrictEqual(yield* ledger.reviews(id, 10), [review({ id: "rev_2", startedAt: at + 9 }), first])
        assert.lengthOf(yield* ledger.reviews(id, 1), 1)
        const again: LedgerWrite = {
          _tag: "ReviewPatched",
          id: "rev_1",
          patch: { iterations: 2, wrote, usage: usage(20), ended: { at, ending: "completed", reason: null } }
        }
        assert.match(yield* refusal(ledger.write([again])), /has ended already/)
      })
    )
  )

  it.effect("a session has one running review, and those of a Troupe that died are cancelled", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        yield* ledger.write([opened(), started()])
        assert.match(yield* refusal(ledger.write([started({ id: "rev_2" })])), /unique/i)
        yield* ledger.write([{ _tag: "ReviewsAbandoned", at: at + 1, reason: "Troupe stopped" }])
        yield* ledger.write([started({ id: "rev_2" })])
        const [, first] = yield* ledger.reviews(id, 10)
        assert.strictEqual(first?.ending ?? null, "cancelled")
        assert.strictEqual(first?.reason, "Troupe stopped")
      })
    )
  )

  it.effect("those of living nodes go on, and what is owed is for the node that has the session, or for any", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const other = SessionId.make("ses_other")
        yield* ledger.write([joins(here, 60_000), joins(there, 60_000), opened(), opened({ id: other })])
        const owe = (session: SessionId): LedgerWrite => ({
          _tag: "ReviewOwed",
          review: { session, turn: 1, reviewMemory: true, reviewSkills: false }
        })
        yield* ledger.write([owe(id), owe(other), started({}, there), started({ id: "rev_2", session: other })])
        const claims = (session: SessionId, owner: NodeToken): LedgerWrite => ({
          _tag: "SessionClaimed",
          session,
          owner
        })
        const owedTo = (node: NodeToken) =>
          Effect.map(ledger.owedReviews(node, 10), (owed) => owed.map(({ session }) => session))
        assert.deepStrictEqual(yield* owedTo(here), [id, other])
        yield* ledger.write([claims(id, there), claims(other, here)])
        assert.deepStrictEqual([yield* owedTo(here), yield* owedTo(there)], [[other], [id]])

        const abandoned: LedgerWrite = { _tag: "ReviewsAbandoned", at: at + 1, reason: "Troupe stopped" }
        const endings = Effect.forEach([id, other], (session) =>
          Effect.map(ledger.reviews(session, 1), ([review]) => review?.ending)
        )
        yield* ledger.write([abandoned])
        assert.deepStrictEqual(yield* endings, [null, null])
        yield* ledger.write([{ _tag: "NodeLeft", token: there }, abandoned])
        assert.deepStrictEqual(yield* endings, ["cancelled", null])
        assert.deepStrictEqual(yield* owedTo(here), [id, other])

        const begun: LedgerWrite = { _tag: "ReviewsBegun", session: id, upToTurn: 1 }
        yield* ledger.write([begun])
        assert.match(yield* refusal(ledger.write([begun])), /begun already/)
      })
    )
  )

  it.effect("reviews that are owed are read in their order until they have begun, and go with their session", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        yield* ledger.write([opened()])
        const owed = (turn: number, reviewSkills = false) => ({ session: id, turn, reviewMemory: true, reviewSkills })
        const owe = (turn: number, skills?: boolean): LedgerWrite => ({
          _tag: "ReviewOwed",
          review: owed(turn, skills)
        })
        yield* ledger.write([owe(20), owe(10, true), owe(30)])
        assert.deepStrictEqual(yield* ledger.owedReviews(here, 10), [owed(10, true), owed(20), owed(30)])
        assert.lengthOf(yield* ledger.owedReviews(here, 2), 2)
        yield* ledger.write([{ _tag: "ReviewsNotOwed", session: id, upToTurn: 20 }, started({ turn: 20 })])
        assert.deepStrictEqual(yield* ledger.owedReviews(here, 10), [owed(30)])
        yield* ledger.write([{ _tag: "ReviewsNotOwed", session: id, upToTurn: null }, owe(40)])
        assert.deepStrictEqual(yield* ledger.owedReviews(here, 10), [owed(40)])
        yield* ledger.write([
          { _tag: "SessionPatched", session: id, patch: { state: "closed", substate: "closed", closedAt: at } }
        ])
        yield* ledger.remove([id], [])
        assert.deepStrictEqual(yield* ledger.owedReviews(here, 10), [])
      })
    )
  )

  it.effect("the tokens of reviews count for their session and for their app's day, which outlives the session", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        yield* ledger.write([opened(), started()])
        const spent = (tokens: number): LedgerWrite => ({
          _tag: "ReviewPatched",
          id: "rev_1",
          patch: {
            iterations: 1,
            wrote: [],
            usage: usage(tokens),
            ended: { at: at + 5, ending: "completed", reason: null }
          }
        })
        yield* ledger.write([spent(10)])
        const stranger = SessionId.make("ses_stranger")
        assert.deepStrictEqual(yield* ledger.reviewUsage([id, stranger]), new Map([[id, usage(10)]]))
        const day = { app, from: at, to: at + 1 }
        assert.deepStrictEqual(yield* ledger.usage(day), [
          { day: "2023-11-14", app, agent: "demo", turns: 0, usage: usage(10) }
        ])

        yield* ledger.write([
          { _tag: "SessionPatched", session: id, patch: { state: "closed", substate: "closed", closedAt: at } }
        ])
        yield* ledger.remove([id], [])
        assert.deepStrictEqual(yield* ledger.reviews(id, 10), [])
        assert.lengthOf(yield* ledger.usage(day), 1)
      })
    )
  )
}

export const learned = ({ onLedger }: LedgerUnderTest) => {
  it.effect("memories and skills belong to their app, are changed and removed by key, and are limited in number", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        yield* ledger.write([
          { _tag: "MemoryAdded", memory: memory(1), atMost: 2 },
          { _tag: "MemoryAdded", memory: memory(2), atMost: 2 },
          { _tag: "SkillAdded", skill: skill("fix-tests"), atMost: 1 }
        ])
        assert.deepStrictEqual(yield* ledger.memories(app), [memory(1), memory(2)])
        assert.deepStrictEqual(yield* ledger.memories(otherApp), [])
        assert.deepStrictEqual(yield* ledger.skills(app), [skill("fix-tests")])
        assert.deepStrictEqual(yield* ledger.skills(otherApp), [])

        assert.match(
          yield* refusal(ledger.write([{ _tag: "MemoryAdded", memory: memory(3), atMost: 2 }])),
          /as many memories/
        )
        assert.match(
          yield* refusal(ledger.write([{ _tag: "SkillAdded", skill: skill("two"), atMost: 1 }])),
          /as many skills/
        )
        for (const entry of [
          { _tag: "MemoryReplaced", app: otherApp, id: "mem_1", text: "mine now", at },
          { _tag: "MemoryRemoved", app: otherApp, id: "mem_1" }
        ] as const) {
          assert.match(yield* refusal(ledger.write([entry])), /no such memory/)
        }
        for (const entry of [
          { _tag: "SkillReplaced", skill: { ...skill("fix-tests"), app: otherApp } },
          { _tag: "SkillRemoved", app: otherApp, name: "fix-tests" }
        ] as const) {
          assert.match(yield* refusal(ledger.write([entry])), /no such skill/)
        }

        yield* ledger.write([
          { _tag: "MemoryReplaced", app, id: "mem_1", text: "better", at: at + 9 },
          { _tag: "MemoryRemoved", app, id: "mem_2" },
          { _tag: "SkillReplaced", skill: { ...skill("fix-tests"), body: "shorter", updatedAt: at + 9 } }
        ])
        assert.deepStrictEqual(yield* ledger.memories(app), [{ ...memory(1), text: "better", updatedAt: at + 9 }])
        assert.deepStrictEqual(yield* ledger.skills(app), [
          { ...skill("fix-tests"), body: "shorter", updatedAt: at + 9 }
        ])
        yield* ledger.write([{ _tag: "SkillRemoved", app, name: "fix-tests" }])
        assert.deepStrictEqual(yield* ledger.skills(app), [])
      })
    )
  )
}
