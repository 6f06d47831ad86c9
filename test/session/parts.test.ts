/** The small parts that the actor is made of, each alone. */
/* oxlint-disable unicorn/no-thenable -- a rule says what is then, as on the wire */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as Circuits from "../../src/supervision/CircuitBreaker.ts"
import { EventFeed } from "../../src/runtime/EventFeed.ts"
import { decidePermission } from "../../src/supervision/permissions.ts"
import { ChunkBuffer } from "../../src/session/ChunkBuffer.ts"
import { Timers } from "../../src/runtime/Timers.ts"
import { AgentFailed } from "../../src/agent/Agent.ts"
import { updateMessage } from "../../src/domain/Acp.ts"
import type { SessionUpdate } from "../../src/domain/Acp.ts"
import { SessionId } from "../../src/domain/Ids.ts"
import type { Permissions, StoredEvent } from "../../src/domain/Session.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import * as SqliteLedger from "../../src/ledger/SqliteLedger.ts"
import { opened } from "../ledger/samples.ts"

const id = SessionId.make("ses_parts")
const say = (text: string, more: Partial<SessionUpdate> = {}) =>
  updateMessage("t", { sessionUpdate: "agent_message_chunk", content: { type: "text", text }, messageId: "a", ...more })

const textsOf = (events: ReadonlyArray<StoredEvent>) =>
  events.map(({ message }) => {
    const update = "method" in message && message.method === "session/update" ? message.params.update : null
    return (update?.["content"] as { readonly text?: string } | undefined)?.text ?? update?.sessionUpdate
  })

describe("the recorder", () => {
  it("merges chunks of one message, and numbers what it hands over without a gap", () => {
    const recorder = new ChunkBuffer(id, 41)
    for (const word of ["one ", "two ", "three"]) recorder.append(1, say(word), 5)
    recorder.append(1, updateMessage("t", { sessionUpdate: "tool_call", toolCallId: "x" }), 6)
    recorder.append(1, say("four"), 7)
    const taken = recorder.take()
    assert.deepStrictEqual(textsOf(taken), ["one two three", "tool_call", "four"])
    assert.deepStrictEqual(
      taken.map(({ seq }) => seq),
      [42, 43, 44]
    )
    assert.deepStrictEqual([recorder.take(), recorder.waiting], [[], 0])
  })

  it("keeps apart what is not one message: another id, another turn, a thought, an image, a remark about it", () => {
    const recorder = new ChunkBuffer(id, 0)
    recorder.append(1, say("a"), 0)
    recorder.append(1, say("b", { messageId: "b" }), 0)
    recorder.append(2, say("c", { messageId: "b" }), 0)
    recorder.append(2, say("d", { sessionUpdate: "agent_thought_chunk", messageId: "b" }), 0)
    recorder.append(2, say("e", { sessionUpdate: "agent_thought_chunk", messageId: "b", _meta: { x: 1 } }), 0)
    recorder.append(
      2,
      say("f", { sessionUpdate: "agent_thought_chunk", messageId: "b", content: { type: "image" } }),
      0
    )
    assert.lengthOf(recorder.take(), 6)
  })
})

describe("the timekeeper", () => {
  it.effect("rings in order of what is due, never what was disarmed, and again where nobody heard", () =>
    Effect.gen(function* () {
      const timekeeper = yield* Timers
      const rung: Array<string> = []
      const ring = (name: string) => () => rung.push(name) > 0
      timekeeper.arm("late", 30, ring("late"))
      timekeeper.arm("early", 10, ring("early"))
      timekeeper.arm("never", 20, ring("never"))
      timekeeper.disarm("never")
      timekeeper.arm("moved", 5, ring("moved at its old time"))
      timekeeper.arm("moved", 25, ring("moved"))
      let deaf = true
      timekeeper.arm("deaf", 15, () => {
        rung.push(deaf ? "unheard" : "heard")
        deaf = !deaf
        return deaf
      })
      yield* TestClock.adjust(30)
      assert.deepStrictEqual(rung, ["early", "unheard", "moved", "late"])
      yield* TestClock.adjust(100)
      assert.strictEqual(rung.at(-1), "heard")
      assert.strictEqual(timekeeper.size(), 0)
    }).pipe(Effect.provide(Timers.layer))
  )

  it.effect("rings what is overdue at once, and forgets the dead of many short timers", () =>
    Effect.gen(function* () {
      const timekeeper = yield* Timers
      for (let n = 0; n < 10_000; n++) {
        timekeeper.arm(`turn ${n % 10}`, 600_000 + n, () => true)
        timekeeper.disarm(`turn ${n % 10}`)
      }
      let rung = false
      timekeeper.arm("overdue", -5, () => (rung = true))
      yield* TestClock.adjust(1)
      assert.isTrue(rung)
      assert.strictEqual(timekeeper.size(), 0)
    }).pipe(Effect.provide(Timers.layer))
  )
})

describe("the feed", () => {
  const WithLedger = EventFeed.layer.pipe(Layer.provideMerge(SqliteLedger.layer(":memory:")))
  const event = (seq: number): StoredEvent => ({ session: id, seq, turn: 1, at: 0, message: say(`${seq}`) })

  it.effect("gives a reader that fell far behind everything all the same, from the ledger", () =>
    Effect.gen(function* () {
      const feed = yield* EventFeed
      const ledger = yield* Ledger
      yield* ledger.write([opened({ id })])
      const reading = feed.follow(id, 0, { live: true }).pipe(Stream.take(3_000))
      const slow = yield* Effect.forkChild(
        Stream.runFold(
          reading,
          () => [] as Array<number>,
          (seen, { seq }) => (seen.push(seq), seen)
        )
      )
      for (let from = 1; from <= 3_000; from += 100) {
        const batch = Array.from({ length: 100 }, (_, n) => event(from + n))
        yield* ledger.write(batch.map((event) => ({ _tag: "EventAppended", event })))
        feed.publish(id, batch, false)
      }
      const seen = yield* Fiber.join(slow)
      assert.deepStrictEqual(
        seen,
        Array.from({ length: 3_000 }, (_, n) => n + 1)
      )
      assert.strictEqual(feed.readers(), 0)
    }).pipe(Effect.provide(WithLedger))
  )
})

describe("the circuit of an agent kind", () => {
  const failure = (kind: "crash" | "auth") => new AgentFailed({ class: kind, message: "no such file" })

  it("opens after five failed starts in a row, for that kind alone, and lets one probe through after its time", () => {
    const circuits = Circuits.make()
    for (let n = 0; n < 4; n++) circuits.failed("codex", failure("crash"), n)
    assert.isNull(circuits.check("codex", 5))
    circuits.failed("codex", failure("crash"), 10)
    assert.include(circuits.check("codex", 11)?.message, "no such file")
    assert.isNull(circuits.check("claude", 11))
    assert.isNull(circuits.check("codex", 30_010))
    assert.isNotNull(circuits.check("codex", 30_011))
    circuits.started("codex")
    assert.isNull(circuits.check("codex", 30_012))
  })

  it("does not count what only a person can mend", () => {
    const circuits = Circuits.make()
    for (let n = 0; n < 9; n++) circuits.failed("codex", failure("auth"), n)
    assert.isNull(circuits.check("codex", 10))
  })
})

describe("the policy", () => {
  it("says yes to nothing by default, to looking where that is allowed, to all where that is", () => {
    const kinds = ["read", "search", "edit", "execute", "fetch", "other"]
    const verdict = (permissions: Permissions, kind: string) =>
      decidePermission(permissions, { kind, title: "x" }).outcome
    assert.deepStrictEqual(new Set(kinds.map((kind) => verdict("deny", kind))), new Set(["deny"]))
    assert.deepStrictEqual(
      kinds.filter((kind) => verdict("approve_reads", kind) === "once"),
      ["read", "search"]
    )
    assert.deepStrictEqual(new Set(kinds.map((kind) => verdict("approve_all", kind))), new Set(["once"]))
    assert.deepStrictEqual(new Set(kinds.map((kind) => verdict("ask", kind))), new Set(["ask"]))
  })

  it("goes by the first rule that matches, whatever the later ones say, and by its default where none does", () => {
    const permissions: Permissions = {
      default: "approve_reads",
      rules: [
        { match: { kind: "execute", titlePrefix: "git push" }, then: "deny" },
        { match: { kind: "execute", titlePrefix: "git " }, then: "approve" },
        { match: { kind: "execute" }, then: "ask" },
        { match: { titlePrefix: "git " }, then: "deny" }
      ]
    }
    const judged = (kind: string, title: string) => {
      const { by, outcome: verdict } = decidePermission(permissions, { kind, title })
      return [verdict, by]
    }
    assert.deepStrictEqual(judged("execute", "git push origin"), ["deny", "rule 1"])
    assert.deepStrictEqual(judged("execute", "git status"), ["once", "rule 2"])
    assert.deepStrictEqual(judged("execute", "rm -r ."), ["ask", "rule 3"])
    assert.deepStrictEqual(judged("read", "git log"), ["deny", "rule 4"])
    assert.deepStrictEqual(judged("read", "a.ts"), ["once", "approve_reads"])
    assert.deepStrictEqual(judged("edit", "a.ts"), ["deny", "approve_reads"])
  })
})
