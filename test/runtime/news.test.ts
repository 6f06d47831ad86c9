/** Who hears which news, and what a watcher that throws costs. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Logger, Scope } from "effect"
import { SessionId } from "../../src/domain/Ids.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { News } from "../../src/runtime/News.ts"
import type { SessionNews } from "../../src/runtime/News.ts"
import { session } from "../ledger/samples.ts"

const [a, b] = [SessionId.make("ses_a"), SessionId.make("ses_b")]
const newsOf = (session: SessionId, event: number): SessionNews => ({
  session,
  step: 0,
  event,
  stepped: false,
  settled: [],
  closed: false,
  stored: { events: [], characters: 0, step: null }
})

const Alone = News.layer.pipe(Layer.provide(Layer.mock(Ledger)({ announcements: null, away: () => null })))

describe("news", () => {
  it.effect("are heard in their order by those who watch the session, and those who watch all, while they watch", () =>
    Effect.gen(function* () {
      const news = yield* News
      const heard: Array<string> = []
      const scope = yield* Scope.make()
      const note =
        (who: string) =>
        ({ event, session, stored }: SessionNews) =>
          void heard.push(`${who} ${session} ${event}${stored === null ? " unread" : ""}`)
      yield* news.watch(a, note("one")).pipe(Scope.provide(scope))
      const stop = news.watchUnsafe(null, note("all"))
      news.tell(newsOf(a, 1))
      news.tell(newsOf(b, 2))
      news.missed(a)
      assert.deepStrictEqual(heard, [
        "one ses_a 1",
        "all ses_a 1",
        "all ses_b 2",
        "one ses_a 0 unread",
        "all ses_a 0 unread"
      ])
      yield* Scope.close(scope, Exit.void)
      stop()
      stop()
      news.tell(newsOf(a, 3))
      assert.strictEqual(heard.length, 5)
      assert.strictEqual(news.watchers(), 0)
    }).pipe(Effect.provide(Alone))
  )

  it.effect("reach the others where a watcher throws, which is logged", () =>
    Effect.gen(function* () {
      const logged: Array<unknown> = []
      const logger = Logger.layer([Logger.make(({ message }) => logged.push(message))])
      yield* Effect.gen(function* () {
        const news = yield* News
        const heard: Array<string> = []
        const bad = () => {
          throw new Error("no")
        }
        news.watchUnsafe(a, bad)
        news.watchUnsafe(a, ({ event }) => heard.push(String(event)))
        news.watchLifecycleUnsafe(bad)
        const stop = news.watchLifecycleUnsafe((lifecycle) =>
          heard.push("record" in lifecycle ? `${lifecycle.record.id} ${lifecycle.what}` : lifecycle.what)
        )
        news.tell(newsOf(a, 1))
        news.tellLifecycle({ what: "created", record: session({ id: a }) })
        stop()
        news.tellLifecycle({ what: "removed", record: session({ id: a }) })
        assert.deepStrictEqual(heard, ["1", "ses_a created"])
        yield* Effect.yieldNow
        assert.strictEqual(logged.length, 3)
        assert.match(String(logged[0]), /A watcher of session ses_a threw/)
      }).pipe(Effect.provide(Alone), Effect.provide(logger))
    })
  )
})
