/**
 * News across processes: a server works on a ledger in PostgreSQL, and this process follows its sessions beside it, while
 * the connections that both listen on are cut.
 */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Fiber, Layer, Logger, Redacted, Stream } from "effect"
import { stateName } from "../../../machines/session/stateInfo.ts"
import { SessionId } from "../../../src/domain/Ids.ts"
import { defaultLimits } from "../../../src/domain/Settings.ts"
import { Ledger } from "../../../src/ledger/Ledger.ts"
import { make as makeAnnouncements } from "../../../src/ledger/postgres/announcements.ts"
import * as Database from "../../../src/ledger/postgres/Database.ts"
import * as PostgresLedger from "../../../src/ledger/PostgresLedger.ts"
import { ledgerOver } from "../../../src/ledger/sql/ledgerOver.ts"
import { EventFeed } from "../../../src/runtime/EventFeed.ts"
import { News } from "../../../src/runtime/News.ts"
import { RuntimeSettings } from "../../../src/runtime/RuntimeSettings.ts"
import { SessionShared } from "../../../src/runtime/SessionShared.ts"
import * as FollowSession from "../../../src/services/inspection/followSession.ts"
import * as ObserveChanges from "../../../src/services/inspection/observeChanges.ts"
import * as ObserveCommits from "../../../src/services/inspection/observeCommits.ts"
import { SessionActorRefs } from "../../../src/services/SessionActorRefs.ts"
import { newNodeToken } from "../../../src/domain/Ids.ts"
import { CircuitBreaker } from "../../../src/supervision/CircuitBreaker.ts"
import { SessionHost } from "../../../src/supervision/SessionHost.ts"
import { ThisNode } from "../../../src/runtime/ThisNode.ts"
import { Supervisor } from "../../../src/supervision/Supervisor.ts"
import { makeWorkspace } from "../../cli/program.ts"
import { openServer, sessionOf, untilSpeaking } from "../../cli/server.ts"
import { eventAppended, id as sampleId, opened } from "../samples.ts"
import { cutListeners, emptySchema, server as postgres } from "./schemas.ts"

const workspace = Effect.acquireRelease(Effect.sync(makeWorkspace), (made) => Effect.promise(() => made.cleanUp()))

/** What a Troupe has that works on none of these sessions. */
const beside = (url: string) =>
  Layer.mergeAll(EventFeed.layer, SessionActorRefs.layer).pipe(
    Layer.provideMerge(
      Layer.mergeAll(
        News.layer,
        SessionShared.layer,
        CircuitBreaker.layer,
        Layer.mock(SessionHost)({ look: () => Effect.succeed([]), loaded: () => null }),
        Layer.mock(Supervisor)({
          view: () => null,
          views: () => [],
          hasMail: () => false,
          timers: () => null,
          watch: () => null
        }),
        Layer.mock(ThisNode)({
          token: newNodeToken(),
          isAlone: true,
          name: "alone",
          leaseMillis: null,
          askBy: () => {},
          loadIs: () => {},
          whenClaimed: () => {},
          load: () => null
        })
      )
    ),
    Layer.provideMerge(PostgresLedger.layer(Redacted.make(url), { works: "beside" })),
    Layer.provide(
      Layer.succeed(RuntimeSettings, {
        dataDir: ":memory:",
        limits: defaultLimits,
        agents: {},
        defaultAgent: null,
        run: {}
      })
    )
  )

const admin = { _tag: "Admin" } as const
const numbers = (last: number) => Array.from({ length: last }, (_, n) => n + 1)

const until = <E>(condition: Effect.Effect<boolean, E>) =>
  Effect.repeat(Effect.andThen(Effect.sleep("10 millis"), condition), { until: (isMet) => isMet })

describe.skipIf(postgres === null)("a session that another Troupe works on", () => {
  it.live("is followed without a gap or a repeat, also where the connections that listen are cut", () =>
    Effect.gen(function* () {
      const url = yield* emptySchema
      const server = yield* Effect.flatMap(workspace, (made) =>
        Effect.promise(() => openServer(made, { TROUPE_DATABASE_URL: url }))
      )
      yield* Effect.gen(function* () {
        const ledger = yield* Ledger
        const changes: Array<ObserveChanges.SessionChange> = []
        const steps: Array<ObserveCommits.ObservedStep> = []
        yield* (yield* ObserveChanges.make)(admin, (change) => changes.push(change))
        yield* (yield* ObserveCommits.make)(admin, null, (step) => steps.push(step))
        yield* until(
          Effect.sync(() => ledger.announcements?.hasListeners() === true && ledger.announcements.isHearing())
        )

        const id = SessionId.make(yield* Effect.promise(() => sessionOf(server)))
        yield* until(Effect.sync(() => changes.some((change) => change._tag === "Created" && change.summary.id === id)))
        const actor = yield* (yield* SessionActorRefs).of(admin, id)
        const states: Array<string> = []
        actor.subscribe((snapshot) => states.push(stateName(snapshot)))
        const events: Array<number> = []
        const reading = (yield* EventFeed).follow(id, 0, { live: true }).pipe(
          Stream.runForEach(({ seq }) => Effect.sync(() => events.push(seq))),
          Effect.forkChild({ startImmediately: true })
        )
        const reader = yield* reading
        const shown: Array<FollowSession.SessionUpdate> = []
        yield* (yield* FollowSession.make)(id, { event: 0, step: 0 }).pipe(
          Stream.runForEach((update) => Effect.sync(() => shown.push(update))),
          Effect.forkChild({ startImmediately: true })
        )

        const turn = Effect.promise(() => server.call("POST", `/sessions/${id}/turn`, { prompt: "slow 150 10" }))
        const running = yield* Effect.forkChild(turn, { startImmediately: true })
        yield* Effect.promise(() => untilSpeaking(server, id))
        for (let n = 0; n < 3; n++) {
          assert.isAtLeast(yield* cutListeners(url), 1)
          yield* Effect.sleep("300 millis")
        }
        assert.deepInclude(yield* Fiber.join(running), { ok: true })
        yield* until(Effect.sync(() => states.at(-1) === "idle.awake"))
        assert.include(states, "turning.running")
        assert.isTrue(steps.some(({ record }) => record.id === id && record.turnCount === 1))
        assert.deepInclude(
          changes.findLast(({ _tag }) => _tag === "Stepped"),
          { to: "idle.awake" }
        )

        assert.deepInclude(yield* Effect.promise(() => server.call("DELETE", `/sessions/${id}`)), { ok: true })
        yield* Fiber.join(reader)
        const last = yield* ledger.lastEvent(id)
        assert.isAbove(last, 20)
        assert.deepStrictEqual(events, numbers(last))
        const ofKind = (kind: "Event" | "Step") =>
          shown.flatMap((update) =>
            update._tag !== kind
              ? []
              : [update._tag === "Event" ? update.event.seq : update._tag === "Step" ? update.step.seq : 0]
          )
        const lastStep = yield* ledger.lastStep(id)
        yield* until(Effect.sync(() => ofKind("Step").at(-1) === lastStep && ofKind("Event").at(-1) === last))
        assert.deepStrictEqual(ofKind("Event"), numbers(last))
        assert.deepStrictEqual(ofKind("Step"), numbers(lastStep))
        yield* until(Effect.sync(() => actor.getSnapshot().status === "done"))
      }).pipe(Effect.provide(beside(url)))
    }).pipe(Effect.scoped)
  )

  it.live("is stored in short strides while somebody reads it at any Troupe, and in long ones while nobody does", () =>
    Effect.gen(function* () {
      const url = yield* emptySchema
      const server = yield* Effect.flatMap(workspace, (made) =>
        Effect.promise(() => openServer(made, { TROUPE_DATABASE_URL: url }))
      )
      yield* Effect.gen(function* () {
        const ledger = yield* Ledger
        yield* until(
          Effect.sync(() => ledger.announcements?.hasListeners() === true && ledger.announcements.isHearing())
        )
        const id = SessionId.make(yield* Effect.promise(() => sessionOf(server)))
        const turn = (prompt: string) => Effect.promise(() => server.call("POST", `/sessions/${id}/turn`, { prompt }))
        assert.deepInclude(yield* turn("hello"), { ok: true })
        const chunksOf = (index: number) =>
          Effect.map(
            ledger.eventsOfTurn(id, index),
            (events) => events.filter(({ message }) => JSON.stringify(message).includes("agent_message_chunk")).length
          )

        assert.deepInclude(yield* turn("slow 60 50"), { ok: true })
        assert.isAtMost(yield* chunksOf(2), 8)

        const events: Array<number> = []
        const reading = (yield* EventFeed).follow(id, yield* ledger.lastEvent(id), { live: true }).pipe(
          Stream.runForEach(({ seq }) => Effect.sync(() => events.push(seq))),
          Effect.forkChild({ startImmediately: true })
        )
        const reader = yield* reading
        assert.deepInclude(yield* turn("slow 60 50"), { ok: true })
        assert.isAtLeast(yield* chunksOf(3), 15)
        const last = yield* ledger.lastEvent(id)
        yield* until(Effect.sync(() => events.at(-1) === last))
        yield* Fiber.interrupt(reader)
      }).pipe(Effect.provide(beside(url)))
    }).pipe(Effect.scoped)
  )

  it.live("is followed also where LISTEN is refused, and the log says how", () =>
    Effect.gen(function* () {
      const url = yield* emptySchema
      const logged: Array<string> = []
      const logger = Logger.layer([Logger.make(({ message }) => logged.push(String(message)))])
      const refused = Effect.gen(function* () {
        const db = yield* Database.open({ url: Redacted.make(url), works: "beside" })
        const announcements = yield* makeAnnouncements({
          connect: Effect.fail(new Error("LISTEN is not supported")),
          query: () => Effect.fail(new Error("NOTIFY is not supported"))
        })
        return yield* ledgerOver(db, { patienceMillis: 1_000, announcements })
      })
      const deaf = EventFeed.layer.pipe(
        Layer.provideMerge(News.layer),
        Layer.provideMerge(Layer.effect(Ledger, refused))
      )
      yield* Effect.gen(function* () {
        const feed = yield* EventFeed
        const other = Context.get(
          yield* Layer.buildWithScope(
            PostgresLedger.layer(Redacted.make(url), { works: "beside" }),
            yield* Effect.scope
          ),
          Ledger
        )
        yield* other.write([opened()])
        const seen: Array<number> = []
        const reader = yield* feed.follow(sampleId, 0, { live: true }).pipe(
          Stream.runForEach(({ seq }) => Effect.sync(() => seen.push(seq))),
          Effect.forkChild({ startImmediately: true })
        )
        for (let seq = 1; seq <= 20; seq += 2) {
          yield* other.write([eventAppended(seq), eventAppended(seq + 1)])
          yield* Effect.sleep("250 millis")
        }
        const patch = { state: "closed", substate: "closed", closedAt: 1 } as const
        yield* other.write([{ _tag: "SessionPatched", session: sampleId, patch }])
        yield* Fiber.join(reader)
        assert.deepStrictEqual(seen, numbers(20))
      }).pipe(Effect.provide(deaf), Effect.provide(logger))
      const lines = logged.filter((text) => text.includes("is not heard"))
      assert.deepStrictEqual(lines, [
        "What other Troupes change is not heard (LISTEN is not supported): it is looked up every 2 seconds until it is."
      ])
    }).pipe(Effect.scoped)
  )
})
