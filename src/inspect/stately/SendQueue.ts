/**
 * What waits to be sent to one inspector: texts in order, and a bound in bytes on all that it has not taken yet.
 *
 * An inspector is told everything or knows that it was not: one that is too slow loses its connection, and has the
 * right picture again when it connects anew.
 */
import { Deferred, Effect, Latch } from "effect"
import { Socket } from "effect/socket"
import type { Duplex } from "node:stream"

/** Of one inspector; there are as many as `Watchers` lets in. */
const mostWaitingBytes = 2 * 1024 * 1024
/** Past this the rest waits until the socket has taken it. */
const socketBytes = 256 * 1024
const stalledAfter = "30 seconds"

export const tooSlow = new Socket.CloseEvent(1013, "Too slow: connect again for the picture as it is then.")

export interface Outbox {
  readonly put: (text: string) => void
  /** Writes until it is told to end. What is asked for first is made when there is room for it. */
  readonly write: (first: Iterable<string>) => Effect.Effect<never, Socket.SocketError>
}

/** `end` is done with `tooSlow` where that is so. */
export const make = (writer: Socket.Writer, duplex: Duplex, end: Deferred.Deferred<Socket.CloseEvent>): Outbox => {
  const news = Latch.makeUnsafe()
  let waiting: Array<string> = []
  let bytes = 0

  const giveUp = Effect.asVoid(Deferred.succeed(end, tooSlow))

  const drained = Effect.callback<void>((resume) => {
    const go = () => resume(Effect.void)
    duplex.once("drain", go)
    duplex.once("close", go)
    return Effect.sync(() => {
      duplex.off("drain", go)
      duplex.off("close", go)
    })
  }).pipe(Effect.timeoutOrElse({ duration: stalledAfter, orElse: () => giveUp }))

  const send = (text: string) =>
    Effect.andThen(
      writer.write(text),
      Effect.suspend(() => (duplex.writableLength > socketBytes && duplex.writableNeedDrain ? drained : Effect.void))
    )

  return {
    put: (text) => {
      waiting.push(text)
      // Characters, which is what is held in memory: an event is nearly all ASCII.
      bytes += text.length
      if (bytes > mostWaitingBytes) {
        waiting = []
        Deferred.doneUnsafe(end, Effect.succeed(tooSlow))
      }
      news.openUnsafe()
    },
    write: Effect.fnUntraced(function* (first) {
      yield* Effect.forEach(first, send, { discard: true })
      while (true) {
        yield* news.await
        yield* news.close
        const batch = waiting
        waiting = []
        for (const text of batch) {
          yield* send(text)
          bytes -= text.length
        }
      }
    })
  }
}
