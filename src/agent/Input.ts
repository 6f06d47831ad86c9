/** A child's stdin: what is written keeps its order, and is written whole or not at all. */
import { Effect } from "effect"
import type { Writable } from "node:stream"

/** How many writes the pipe may have before it has taken the first of them: one more waits. */
const mostWrites = 32

interface Waiting {
  readonly bytes: Uint8Array | string
  readonly answer: (isTaken: boolean) => void
}

export class Input {
  readonly #pipe: Writable | null
  #writes = 0
  #isClosed = false
  #isEnding = false
  /** Made when the first has to wait. */
  #waiting: Set<Waiting> | null = null

  /** `null`: it takes everything, and nobody reads it. */
  constructor(pipe: Writable | null) {
    this.#pipe = pipe
    // A pipe that breaks while nobody listens would end Troupe.
    const closes = () => this.close()
    pipe?.on("error", closes)
    pipe?.on("close", closes)
  }

  /** `false`: there is no room, or it is closed. */
  offer(bytes: Uint8Array | string): boolean {
    if (this.#isClosed || this.#isEnding || this.#isWaitedFor || this.#writes >= mostWrites) return false
    this.#write(bytes)
    return true
  }

  /** Waits for room. `false`: it is closed. Where it is interrupted, nothing is written. */
  write(bytes: Uint8Array | string): Effect.Effect<boolean> {
    return Effect.callback((resume) => {
      if (this.offer(bytes)) return resume(Effect.succeed(true))
      if (this.#isClosed || this.#isEnding) return resume(Effect.succeed(false))
      const waiting: Waiting = { bytes, answer: (isTaken) => resume(Effect.succeed(isTaken)) }
      const all = (this.#waiting ??= new Set())
      all.add(waiting)
      return Effect.sync(() => all.delete(waiting))
    })
  }

  /** Behind all that was written, and waits to be. */
  end(): void {
    this.#isEnding = true
    if (!this.#isWaitedFor) this.#pipe?.end()
  }

  /** Nobody reads it any more. */
  close(): void {
    this.#isClosed = true
    if (this.#waiting === null) return
    for (const { answer } of this.#waiting) answer(false)
    this.#waiting.clear()
  }

  get #isWaitedFor(): boolean {
    return this.#waiting !== null && this.#waiting.size > 0
  }

  #write(bytes: Uint8Array | string): void {
    if (this.#pipe === null) return
    this.#writes++
    this.#pipe.write(bytes, () => {
      this.#writes--
      this.#writeWaiting()
    })
  }

  #writeWaiting(): void {
    if (this.#waiting === null) return
    for (const waiting of this.#waiting) {
      if (this.#isClosed || this.#writes >= mostWrites) return
      this.#waiting.delete(waiting)
      this.#write(waiting.bytes)
      waiting.answer(true)
      if (this.#isEnding && this.#waiting.size === 0) this.#pipe?.end()
    }
  }
}
