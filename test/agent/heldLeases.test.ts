/** Which leases may start a process, by what the node's own lease was meanwhile. */
import { assert, describe, it, layer } from "@effect/vitest"
import { Effect } from "effect"
import { HeldLeases } from "../../src/agent/HeldLeases.ts"
import { Processes } from "../../src/agent/Processes.ts"
import { later, now } from "../../src/agent/warden/instant.ts"
import { freshLease, isAlive, spawn, specOf } from "./child.ts"

const at = (millis: number) => ({ wall: 1_000_000 + millis, monotonic: millis })

describe("a held lease", () => {
  it("may start processes for as long as its node's own lease never runs out", () => {
    const held = new HeldLeases()
    const lease = freshLease()
    held.hold(lease)
    assert.isTrue(held.mayStart(lease, at(1e9)), "alone there is no end")
    held.extend(at(1_000), at(0))
    held.extend(at(1_500), at(900))
    assert.deepStrictEqual(
      [at(1_500), at(1_501)].map((time) => held.mayStart(lease, time)),
      [true, false]
    )
    assert.isFalse(held.mayStart(freshLease(), at(0)), "one that is not held")
  })

  it("may start nothing once it ran out, although it was renewed, and may again where it was held anew", () => {
    const held = new HeldLeases()
    const [before, after] = [freshLease(), freshLease()]
    held.extend(at(1_000), at(0))
    held.hold(before)
    held.extend(at(3_000), at(1_200))
    held.hold(after)
    assert.deepStrictEqual(
      [before, after].map((lease) => held.mayStart(lease, at(1_300))),
      [false, true]
    )
    // As by another process of the same lease.
    held.hold(before)
    assert.isFalse(held.mayStart(before, at(1_300)))
    held.hold(before).isOver = false
    assert.isTrue(held.mayStart(before, at(1_300)))
  })

  it("takes the clock by which more time has passed, and no earlier end after a later one", () => {
    const held = new HeldLeases()
    const lease = freshLease()
    held.hold(lease)
    assert.isTrue(held.extend(at(1_000), at(0)))
    assert.isFalse(held.extend(at(900), at(0)))
    assert.isTrue(held.mayStart(lease, at(950)))
    const afterSleep = { wall: at(1_200).wall, monotonic: 950 }
    assert.isFalse(held.mayStart(lease, afterSleep), "the machine slept")
    // By the other clock it ends earlier than the one before, which is over by this one.
    assert.isTrue(held.extend({ wall: at(1_230).wall, monotonic: 980 }, afterSleep))
    held.hold(lease).isOver = false
    assert.isTrue(held.mayStart(lease, afterSleep))
  })
})

layer(Processes.layer, { excludeTestServices: true })("the processes of a node that was stopped", (it) => {
  it.effect("are not started under a lease of before, and are under one that is stored anew", () =>
    Effect.gen(function* () {
      const processes = yield* Processes
      const [other, spec] = [specOf("stubborn"), specOf("stubborn")]
      yield* processes.hold(spec.lease)
      yield* processes.hold(other.lease)
      const { pid } = yield* spawn(other)
      yield* processes.mayRunUntil(later(now(), -1))
      // The warden, which may have been starting, has heard of it, and looks for no more processes to end.
      while (isAlive(pid)) yield* Effect.sleep("10 millis")
      yield* Effect.sleep("200 millis")
      const refused = yield* Effect.flip(spawn(spec))
      assert.match(refused.message, /^This node's lease ran out before the agent could be started/)
      yield* processes.mayRunUntil(later(now(), 60_000))
      assert.strictEqual((yield* Effect.flip(spawn(spec))).message, refused.message)
      yield* processes.hold(spec.lease)
      assert.isTrue(isAlive((yield* spawn(spec)).pid))
    })
  )
})
