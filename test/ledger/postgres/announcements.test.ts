/** What one Troupe announces to the others, on a real server, whose connections end. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Logger, Queue, Redacted } from "effect"
import { Ledger } from "../../../src/ledger/Ledger.ts"
import type { Heard } from "../../../src/ledger/Announcements.ts"
import * as PostgresLedger from "../../../src/ledger/PostgresLedger.ts"
import { make } from "../../../src/ledger/postgres/announcements.ts"
import * as Payload from "../../../src/ledger/postgres/payload.ts"
import { cutListeners, emptySchema, server } from "./schemas.ts"

/** The announcements of a Troupe that is there until the scope closes. */
const openOn = Effect.fnUntraced(function* (url: string) {
  const layer = PostgresLedger.layer(Redacted.make(url), { works: "beside" })
  const built = yield* Layer.buildWithScope(layer, yield* Effect.scope)
  const { announcements } = Context.get(built, Ledger)
  if (announcements === null) return yield* Effect.die("it has no announcements")
  const heard = yield* Queue.unbounded<Heard>()
  return { announcements, heard, listen: announcements.listen((one) => void Queue.offerUnsafe(heard, one)) }
})

const tick = Effect.sleep("5 millis")
const until = (condition: () => boolean) => Effect.repeat(tick, { until: condition })

/** The notes up to the one given; what was missed in between is counted. */
const upTo = Effect.fnUntraced(function* (heard: Queue.Queue<Heard>, last: string) {
  const notes: Array<string> = []
  let missed = 0
  while (notes.at(-1) !== last) {
    const one = yield* Queue.take(heard)
    if (one._tag === "Missed") missed++
    else notes.push(...one.notes)
  }
  return { notes, missed }
})

describe.skipIf(server === null)("announcements", () => {
  it.live("are heard by the others in their order, and not by the one that sent them", () =>
    Effect.gen(function* () {
      const url = yield* emptySchema
      const [a, b, c] = [yield* openOn(url), yield* openOn(url), yield* openOn(url)]
      yield* Effect.all([a.listen, b.listen, c.listen])
      yield* until(() =>
        [a, b, c].every(({ announcements }) => announcements.isHearing() && announcements.hasListeners())
      )
      const notes = Array.from({ length: 1_000 }, (_, n) => `note ${n} ${"ü".repeat(n % 50)}`)
      for (let n = 0; n < 1_000; n += 100) yield* a.announcements.announce(notes.slice(n, n + 100))
      yield* b.announcements.announce(["end"])
      const last = notes.at(-1) ?? ""
      assert.deepStrictEqual((yield* upTo(b.heard, last)).notes, notes)
      assert.deepStrictEqual((yield* upTo(c.heard, "end")).notes, [...notes, "end"])
      assert.deepStrictEqual((yield* upTo(a.heard, "end")).notes, ["end"])
    }).pipe(Effect.scoped)
  )

  it.live("of another schema are not heard", () =>
    Effect.gen(function* () {
      const [url, otherUrl] = [yield* emptySchema, yield* emptySchema]
      const [a, b, stranger] = [yield* openOn(url), yield* openOn(url), yield* openOn(otherUrl)]
      yield* Effect.all([a.listen, b.listen, stranger.listen])
      yield* until(
        () => a.announcements.isHearing() && b.announcements.isHearing() && stranger.announcements.isHearing()
      )
      assert.isFalse(stranger.announcements.hasListeners())
      yield* stranger.announcements.announce(["psst"])
      yield* a.announcements.announce(["ours"])
      assert.deepStrictEqual((yield* upTo(b.heard, "ours")).notes, ["ours"])
    }).pipe(Effect.scoped)
  )

  it.live("that one could not hear are told of as missed when it hears again", () =>
    Effect.gen(function* () {
      const url = yield* emptySchema
      const [a, b] = [yield* openOn(url), yield* openOn(url)]
      yield* Effect.all([a.listen, b.listen])
      yield* until(() => b.announcements.isHearing() && a.announcements.hasListeners())
      const stop = yield* Effect.forkChild(
        Effect.forever(
          Effect.gen(function* () {
            assert.isAtLeast(yield* cutListeners(url), 1)
            yield* Effect.sleep("700 millis")
          })
        )
      )
      for (let n = 1; n <= 100; n++) {
        yield* a.announcements.announce([`${n}`])
        yield* Effect.sleep("20 millis")
      }
      stop.interruptUnsafe()
      yield* until(() => b.announcements.isHearing())
      yield* a.announcements.announce(["end"])
      const { missed, notes } = yield* upTo(b.heard, "end")
      // Each loss of the connection is followed by one of these, at the latest when it is back.
      assert.isAtLeast(missed, 2)
      assert.deepStrictEqual(
        notes,
        notes.toSorted((x, y) => Number(x) - Number(y)),
        "in their order, each once"
      )
      assert.strictEqual(new Set(notes).size, notes.length)
    }).pipe(Effect.scoped)
  )

  it.live("are taken for missed again and again where nothing can be heard, with a word in the log", () =>
    Effect.gen(function* () {
      const logged: Array<string> = []
      const logger = Logger.layer([Logger.make(({ message }) => logged.push(String(message)))])
      yield* Effect.gen(function* () {
        // A pooler that gives each statement another connection: LISTEN is accepted, and nothing comes.
        const swallowed: Array<string> = []
        const notifications = yield* Queue.unbounded<never>()
        const connection = {
          query: (_: string, [payload]: ReadonlyArray<string> = []) =>
            Effect.sync(() => {
              if (payload !== undefined) swallowed.push(payload)
              return { rows: [{ channel: "c" }] }
            }),
          listen: () => Effect.succeed(notifications)
        }
        const announcements = yield* make({
          connect: Effect.succeed({ pin: Effect.succeed(connection) } as never),
          query: (_, [payload = ""]) => Effect.sync(() => swallowed.push(payload))
        })
        const heard = yield* Queue.unbounded<Heard>()
        yield* announcements.listen((one) => void Queue.offerUnsafe(heard, one))
        assert.deepStrictEqual(yield* Queue.takeN(heard, 2), [{ _tag: "Missed" }, { _tag: "Missed" }])
        assert.isFalse(announcements.isHearing())
        assert.isTrue(announcements.hasListeners())
        assert.isAtLeast(swallowed.length, 1)
        assert.strictEqual(logged.length, 1)
        assert.match(
          logged[0] ?? "",
          /is not heard \(nothing is heard on it\): it is looked up every 2 seconds until it is/
        )
      }).pipe(Effect.provide(logger), Effect.scoped)
    })
  )

  it.live("that did not reach the server are told of as missed with the next that do", () =>
    Effect.gen(function* () {
      const sent: Array<Payload.Payload | null> = []
      let isAway = true
      const announcements = yield* make({
        connect: Effect.fail("it is away"),
        query: (_, [payload = ""]) =>
          isAway ? Effect.fail("it is away") : Effect.sync(() => sent.push(Payload.read(payload)))
      })
      yield* announcements.announce(["1"])
      isAway = false
      yield* announcements.announce(["2"])
      yield* announcements.announce(["3"])
      assert.deepStrictEqual(
        sent.map((payload) => [payload?.missedBy, ...(payload?.notes ?? [])]),
        [
          [Payload.everybody, "2"],
          [Payload.nobody, "3"]
        ]
      )
    })
  )
})
