/** What waits for an inspector, over a real connection: it is sent in order, or the connection ends with a reason. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import type { Socket } from "effect/socket"
import { connect, createServer } from "node:net"
import type { AddressInfo, Socket as Tcp } from "node:net"
import { TestClock } from "effect/testing"
import * as SendQueue from "../../src/inspect/stately/SendQueue.ts"

/** Two ends of a connection; `near` is the server's. */
const pair = Effect.gen(function* () {
  const server = yield* Effect.acquireRelease(
    Effect.sync(() => createServer({ pauseOnConnect: false })),
    (server) => Effect.sync(() => server.close())
  )
  const [far, near] = yield* Effect.promise(
    () =>
      new Promise<readonly [Tcp, Tcp]>((resolve) => {
        let other: Tcp | undefined
        server.on("connection", (socket) => resolve([other!, socket]))
        server.listen(0, "127.0.0.1", () => {
          other = connect((server.address() as AddressInfo).port, "127.0.0.1")
          other.pause()
        })
      })
  )
  yield* Effect.addFinalizer(() => Effect.sync(() => [far, near].forEach((socket) => socket.destroy())))
  const end = yield* Deferred.make<Socket.CloseEvent>()
  let most = 0
  const write = (chunk: string | Uint8Array | Socket.CloseEvent) =>
    Effect.sync(() => {
      near.write(String(chunk))
      most = Math.max(most, near.writableLength)
    })
  const queue = SendQueue.make(
    { write, writeAll: (chunks) => Effect.forEach(chunks, write, { discard: true }) },
    near,
    end
  )
  return { far, queue, end, most: () => most }
})

const read = (far: Tcp, bytes: number) =>
  Effect.callback<string>((resume) => {
    let text = ""
    far.on("data", (data) => {
      text += data.toString("latin1")
      if (text.length >= bytes) resume(Effect.succeed(text))
    })
    far.resume()
  })

const kilobyte = (n: number) => String(n).padStart(1_024, "-")

describe("the send queue", () => {
  it.live("sends a first picture of any size as fast as it is taken, and then what was put meanwhile", () =>
    Effect.gen(function* () {
      const { end, far, most, queue } = yield* pair
      let made = 0
      const picture = function* () {
        while (made < 16_384) yield kilobyte(made++)
      }
      const writing = yield* Effect.forkChild(queue.write(picture()))
      yield* Effect.sleep("20 millis")
      // Nobody reads: texts that the kernel has not taken are not made yet.
      assert.isBelow(made, 16_384)
      for (let n = 0; n < 100; n++) queue.put(kilobyte(16_384 + n))
      const text = yield* read(far, 16_484 * 1_024)
      for (let n = 0; n < 16_484; n += 97) {
        assert.strictEqual(text.slice(n * 1_024, (n + 1) * 1_024), kilobyte(n))
      }
      assert.isAtMost(most(), 300 * 1_024)
      assert.isFalse(yield* Deferred.isDone(end))
      yield* Fiber.interrupt(writing)
    }).pipe(Effect.scoped)
  )

  it.live("closes the connection of an inspector for which more than two megabytes wait", () =>
    Effect.gen(function* () {
      const { end, far, queue } = yield* pair
      const writing = yield* Effect.forkChild(queue.write([]))
      for (let n = 0; n < 20_000; n++) {
        queue.put(kilobyte(n))
        if (n % 100 === 0) yield* Effect.yieldNow
      }
      assert.strictEqual(yield* Deferred.await(end), SendQueue.tooSlow)
      far.destroy()
      yield* Fiber.interrupt(writing)
    }).pipe(Effect.scoped)
  )

  it.effect("closes the connection of an inspector that takes nothing for half a minute", () =>
    Effect.gen(function* () {
      const { end, queue } = yield* pair
      const writing = yield* Effect.forkChild(queue.write(Array.from({ length: 16_384 }, (_, n) => kilobyte(n))))
      for (let n = 0; n < 100 && !(yield* Deferred.isDone(end)); n++) {
        yield* TestClock.withLive(Effect.sleep("5 millis"))
        yield* TestClock.adjust("30 seconds")
      }
      assert.isTrue(yield* Deferred.isDone(end))
      assert.strictEqual(yield* Deferred.await(end), SendQueue.tooSlow)
      yield* Fiber.interrupt(writing)
    }).pipe(Effect.scoped)
  )
})
