/** In which strides a journal stores what an agent says: short ones while somebody reads, long ones while nobody does. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Scope } from "effect"
import { TestClock } from "effect/testing"
import { begin } from "../../machines/decide.ts"
import { sessionMachine } from "../../machines/session/machine.ts"
import { updateMessage } from "../../src/domain/Acp.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import * as SqliteLedger from "../../src/ledger/SqliteLedger.ts"
import { News } from "../../src/runtime/News.ts"
import { Fault } from "../../src/session/Fault.ts"
import * as Journal from "../../src/session/Journal.ts"
import { Session } from "../../src/session/Session.ts"
import { id, opened, session } from "../ledger/samples.ts"

const withLedger = News.layer.pipe(Layer.provideMerge(SqliteLedger.layer(":memory:")))

const say = (text: string) =>
  updateMessage("t", { sessionUpdate: "agent_message_chunk", content: { type: "text", text }, messageId: "a" })

/** A journal of a session, in a scope of its own. */
const opening = Effect.gen(function* () {
  const ledger = yield* Ledger
  const news = yield* News
  yield* ledger.write([opened()])
  const scope = yield* Effect.acquireRelease(Scope.make(), (made) => Scope.close(made, Exit.void))
  const fault = new Fault(() => {})
  const state = new Session(session(), begin(sessionMachine, undefined).next, 0)
  const journal = yield* Journal.make(state, ledger, fault).pipe(Scope.provide(scope))
  const texts = Effect.map(ledger.events(id, 0, 1_000), (events) =>
    events.map(({ message }) => /"text":"(\w*)"/.exec(JSON.stringify(message))?.[1])
  )
  /** Time passes, and what became due is stored. */
  const pass = (millis: number) =>
    Effect.andThen(TestClock.adjust(millis), TestClock.withLive(Effect.sleep("2 millis")))
  return {
    close: Scope.close(scope, Exit.void),
    journal,
    news,
    pass,
    texts,
    say: (text: string) => Effect.suspend(() => journal.append(1, say(text)))
  }
})

describe("a journal", () => {
  it.effect("stores the first chunk at once, and what follows once a second while nobody reads", () =>
    Effect.gen(function* () {
      const { pass, say, texts } = yield* opening
      yield* pass(10_000)
      yield* say("a")
      yield* pass(0)
      assert.deepStrictEqual(yield* texts, ["a"])
      for (const letter of "bcdefghij") {
        yield* say(letter)
        yield* pass(100)
      }
      assert.deepStrictEqual(yield* texts, ["a"])
      yield* pass(100)
      assert.deepStrictEqual(yield* texts, ["a", "bcdefghij"])
      yield* say("k".repeat(32_767))
      yield* pass(0)
      assert.strictEqual((yield* texts).length, 2)
      yield* say("l")
      assert.strictEqual((yield* texts).length, 3)
    }).pipe(Effect.scoped, Effect.provide(withLedger))
  )

  it.effect("stores what waits when a reader comes, and then every 50 ms until the last one has left", () =>
    Effect.gen(function* () {
      const { news, pass, say, texts } = yield* opening
      yield* pass(10_000)
      yield* say("a")
      yield* pass(0)
      yield* say("b")
      yield* pass(10)
      const [first, second] = [yield* Scope.make(), yield* Scope.make()]
      yield* Scope.provide(news.read(id), first)
      yield* Scope.provide(news.read(id), second)
      yield* pass(0)
      assert.deepStrictEqual(yield* texts, ["a", "b"])
      yield* say("c")
      yield* pass(49)
      assert.deepStrictEqual(yield* texts, ["a", "b"])
      yield* pass(1)
      assert.deepStrictEqual(yield* texts, ["a", "b", "c"])
      yield* Scope.close(first, Exit.void)
      yield* say("d")
      yield* pass(50)
      yield* say("e".repeat(32_768))
      assert.strictEqual((yield* texts).length, 5)
      yield* Scope.close(second, Exit.void)
      yield* say("f")
      yield* pass(999)
      assert.strictEqual((yield* texts).length, 5)
      yield* pass(1)
      assert.strictEqual((yield* texts).at(-1), "f")
    }).pipe(Effect.scoped, Effect.provide(withLedger))
  )

  it.effect("has stored what waited when somebody looks, and is read for 15 s after that", () =>
    Effect.gen(function* () {
      const { news, pass, say, texts } = yield* opening
      yield* pass(10_000)
      yield* say("a")
      yield* pass(0)
      yield* say("b")
      yield* news.look(id)
      assert.deepStrictEqual(yield* texts, ["a", "b"])
      yield* pass(14_000)
      yield* say("c")
      yield* pass(0)
      yield* say("d")
      yield* pass(50)
      assert.deepStrictEqual(yield* texts, ["a", "b", "c", "d"])
      yield* pass(1_000)
      assert.isFalse(news.isRead(id))
      yield* say("e")
      yield* pass(0)
      yield* say("f")
      yield* pass(50)
      assert.deepStrictEqual(yield* texts, ["a", "b", "c", "d", "e"])
    }).pipe(Effect.scoped, Effect.provide(withLedger))
  )

  it.effect("stores at its end what waits", () =>
    Effect.gen(function* () {
      const { close, pass, say, texts } = yield* opening
      yield* pass(10_000)
      yield* say("a")
      yield* pass(0)
      yield* say("b")
      yield* close
      assert.deepStrictEqual(yield* texts, ["a", "b"])
    }).pipe(Effect.scoped, Effect.provide(withLedger))
  )
})
