/**
 * The texts that wait to be sent to one inspector, in order, with a bound in bytes on what it has not taken yet.
 *
 * An inspector gets every text or loses its connection: one that is too slow is closed with 1013, and gets a complete
 * picture when it connects again.
 */
import { Deferred, Effect, Latch } from "effect"
import { Socket } from "effect/socket"
import type { Duplex } from "node:stream"

/** Of one inspector; `Watchers` bounds their number. */
const mostWaitingBytes = 2 * 1024 * 1024
/** While the socket holds more than this, no further text is written. */
const socketBytes = 256 * 1024
const stalledAfter = "30 seconds"

export const tooSlow = new Socket.CloseEvent(1013, "Too slow: connect again for the picture as it is then.")

export interface SendQueue {
  readonly put: (text: string) => void
  /** Writes `first`, whose texts are made as the socket takes them, then what is put. Runs until it is interrupted. */
  readonly write: (first: Iterable<string>) => Effect.Effect<never, Socket.SocketError>
}

/** Completes `end` with `tooSlow` where the inspector takes too little. */
export const make = (writer: Socket.Writer, duplex: Duplex, end: Deferred.Deferred<Socket.CloseEvent>): SendQueue => {
  const hasTexts = Latch.makeUnsafe()
  let waiting: Array<string> = []
  let bytes = 0

  const giveUp = Effect.asVoid(Deferred.succeed(end, tooSlow))

  const drained = Effect.callback<void>((resume) => {
    const done = () => resume(Effect.void)
    duplex.once("drain", done)
    duplex.once("close", done)
    return Effect.sync(() => {
      duplex.off("drain", done)
      duplex.off("close", done)
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
      // Counts characters, which are bytes in memory: an event is nearly all ASCII.
      bytes += text.length
      if (bytes > mostWaitingBytes) {
        waiting = []
        Deferred.doneUnsafe(end, Effect.succeed(tooSlow))
      }
      hasTexts.openUnsafe()
    },
    write: Effect.fnUntraced(function* (first) {
      yield* Effect.forEach(first, send, { discard: true })
      while (true) {
        yield* hasTexts.await
        yield* hasTexts.close
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
