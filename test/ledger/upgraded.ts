/**
 * The whole runtime on the ledger of an earlier version, whose Troupe was killed at work (`fixtures/ledger`).
 *
 * The test's clock stands at the moment of the kill, so that no pause of the stored sessions is over. The processes are
 * real.
 */
import { assert } from "@effect/vitest"
import { Effect, Option, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { join } from "node:path"
import type { SessionId } from "../../src/domain/Ids.ts"
import { defaultLimits } from "../../src/domain/Settings.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import * as SqliteLedger from "../../src/ledger/SqliteLedger.ts"
import { Sessions } from "../../src/services/Sessions.ts"
import * as Wiring from "../../src/wiring.ts"
import { dataDirIn, killedAt } from "./olderDataDir.ts"
import { app, scratch } from "./samples.ts"

export { killedAt } from "./olderDataDir.ts"

const agents = {
  "demo-hanging": {
    protocol: "acp",
    command: [process.execPath, new URL("../../src/agent/demo/main.ts", import.meta.url).pathname],
    env: { TROUPE_DEMO_START: "hang" }
  }
} as const

/** All that the ledger has of a session. */
const contentOf = (ledger: Ledger["Service"], id: SessionId) =>
  Effect.all({
    record: Effect.map(ledger.session(id), Option.getOrThrow),
    turns: ledger.turns(id, 0, 100),
    events: ledger.events(id, 0, 1_000),
    eventsOfTurns: Effect.flatMap(ledger.turns(id, 0, 100), (turns) =>
      Effect.forEach(turns, ({ index }) => ledger.eventsOfTurn(id, index))
    ),
    steps: ledger.steps(id, 0, 1_000),
    audit: ledger.audit(id, 1_000),
    timers: ledger.timers(id),
    outbox: ledger.outbox(id),
    approvals: ledger.lastApprovals(id, 100)
  })

/** The content of each session by its name, and of the tables that belong to no session. */
const everythingIn = Effect.fnUntraced(function* (ledger: Ledger["Service"]) {
  const { items } = yield* ledger.sessions({ app, state: null, cursor: null, limit: 100 })
  const contents = yield* Effect.forEach(items, ({ id, meta }) =>
    Effect.map(contentOf(ledger, id), (content) => [String(meta["name"]), content] as const)
  )
  return {
    sessions: new Map(contents),
    leases: yield* ledger.leases,
    apps: yield* ledger.apps,
    files: yield* ledger.filesBefore(killedAt, 10)
  }
})

type Everything = Effect.Success<ReturnType<typeof everythingIn>>
export type Content = Effect.Success<ReturnType<typeof contentOf>>

export interface Upgraded {
  readonly sessions: Sessions["Service"]
  readonly id: (name: string) => SessionId
  /** As the killed Troupe left it. */
  readonly before: Everything
  /** As it is now. */
  readonly now: Effect.Effect<Everything, Effect.Error<ReturnType<typeof everythingIn>>>
}

/** Runs a test on the runtime right after its boot. */
export const upgraded = <A, E>(test: (upgraded: Upgraded) => Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(killedAt)
    const dataDir = dataDirIn(yield* scratch)
    const before = yield* Ledger.use(everythingIn).pipe(
      Effect.provide(SqliteLedger.layer(join(dataDir, "troupe.sqlite")))
    )
    const settings = { dataDir, limits: defaultLimits, agents, defaultAgent: "demo", run: {} }
    const adminToken = Option.some(Redacted.make("the admin token of this test"))
    return yield* Effect.gen(function* () {
      const ledger = yield* Ledger
      const sessions = yield* Sessions
      const id = (name: string) => before.sessions.get(name)?.record.id ?? assert.fail(`no session is called ${name}`)
      return yield* test({ sessions, id, before, now: everythingIn(ledger) })
    }).pipe(Effect.provide(Wiring.layer(settings, { adminToken })))
  }).pipe(Effect.scoped)

/** Waits in real time, because it is a real process that has to come to something. */
export const eventually = <E>(what: string, condition: Effect.Effect<boolean, E>) =>
  Effect.gen(function* () {
    for (let tries = 0; tries < 6_000; tries++) {
      if (yield* condition) return
      yield* TestClock.withLive(Effect.sleep("10 millis"))
    }
    return assert.fail(`not within 60 s: ${what}`)
  })
