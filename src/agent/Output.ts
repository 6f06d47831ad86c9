/**
 * What a child writes to one of its pipes, chunk by chunk, in Node's own callbacks: where nothing of a chunk has to be waited
 * for, no fiber is resumed for it.
 *
 * It is listened to from the beginning, so a pipe that fails ends nothing. Nothing is taken from it before it is asked for,
 * but what Node has in its buffer, so a child that writes more than is read waits. It is over with the output, or with the
 * first silence after the child's exit: another process can hold the pipe open for days.
 */
import { Cause, Deferred, Effect } from "effect"
import type { Readable } from "node:stream"
import { isDone } from "../domain/done.ts"

/** After the exit, this much silence means that only another process holds the pipe open. */
const lingerMillis = 250

/** What the system said of a pipe that failed. */
export class PipeFailed extends Error {}

export class Output {
  readonly #pipe: Readable
  #isOver = false
  #failure: PipeFailed | null = null
  #hasExited = false
  /** Called once, when there may be something to take. */
  #waiting: (() => void) | null = null
  #lingering: NodeJS.Timeout | undefined
  /** Of those who wait for its end. */
  #over: Deferred.Deferred<void> | null = null

  constructor(pipe: Readable) {
    this.#pipe = pipe
    pipe.on("readable", () => this.#wake())
    pipe.on("error", ({ message }) => this.#end(new PipeFailed(message)))
    const ended = () => this.#end(null)
    pipe.on("end", ended)
    pipe.on("close", ended)
  }

  /** From now on a silence is the end. */
  childExited(): void {
    this.#hasExited = true
    if (this.#waiting !== null) this.#linger()
  }

  /** Throws away what is left, up to its end: Node closes no pipe in which something is left to read. */
  discard(): void {
    const throwAway = () => {
      while (this.#pipe.read() !== null);
    }
    this.#end(null)
    this.#pipe.on("readable", throwAway)
    throwAway()
  }

  /** The next chunk, for one reader. */
  get next(): Effect.Effect<Buffer, PipeFailed | Cause.Done> {
    return Effect.callback((resume) => {
      const take = () => {
        const chunk = this.#take()
        if (chunk !== null) resume(Effect.succeed(chunk))
        else if (this.#isOver) resume(this.#failure === null ? Cause.done() : Effect.fail(this.#failure))
        else this.#wait(take)
      }
      take()
      return Effect.sync(() => this.#stopWaiting())
    })
  }

  /** Gives each chunk to `take`, up to the end, and needs no fiber for it. */
  drain(take: (chunk: Buffer) => void): void {
    const takeAll = () => {
      for (let chunk = this.#take(); chunk !== null; chunk = this.#take()) take(chunk)
      if (!this.#isOver) this.#wait(takeAll)
    }
    takeAll()
  }

  /** Done when there is nothing more to come. */
  get over(): Effect.Effect<void> {
    if (this.#isOver) return Effect.void
    this.#over ??= Deferred.makeUnsafe()
    return Deferred.await(this.#over)
  }

  /**
   * Gives each chunk to `take`, up to the end. Where that returns an effect that is not done already, nothing more is taken
   * until it is. What `take` throws is a defect.
   */
  each<E>(take: (chunk: Buffer) => Effect.Effect<void, E>): Effect.Effect<void, E | PipeFailed> {
    /** Gives `false` when it is over, `true` where there is more to come. */
    const untilWaitedFor = Effect.callback<boolean, E | PipeFailed>((resume) => {
      const takeAll = () => {
        for (let chunk = this.#take(); chunk !== null; chunk = this.#take()) {
          const taken = attempt(take, chunk)
          if (!isDone(taken)) return resume(Effect.as(taken, true))
        }
        if (!this.#isOver) return this.#wait(takeAll)
        return resume(this.#failure === null ? Effect.succeed(false) : Effect.fail(this.#failure))
      }
      takeAll()
      return Effect.sync(() => this.#stopWaiting())
    })
    return Effect.gen(function* () {
      while (yield* untilWaitedFor);
    })
  }

  #take(): Buffer | null {
    return this.#isOver ? null : (this.#pipe.read() as Buffer | null)
  }

  #wait(waiting: () => void): void {
    this.#waiting = waiting
    if (this.#hasExited) this.#linger()
  }

  #stopWaiting(): void {
    this.#waiting = null
    clearTimeout(this.#lingering)
  }

  // In real time: it is the kernel that is waited for, and a test's clock does not apply.
  #linger(): void {
    clearTimeout(this.#lingering)
    this.#lingering = setTimeout(() => this.#end(null), lingerMillis)
  }

  #end(failure: PipeFailed | null): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#failure = failure
    this.#wake()
    if (this.#over !== null) Deferred.doneUnsafe(this.#over, Effect.void)
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#stopWaiting()
    waiting?.()
  }
}

const attempt = <E>(take: (chunk: Buffer) => Effect.Effect<void, E>, chunk: Buffer): Effect.Effect<void, E> => {
  try {
    return take(chunk)
  } catch (defect) {
    return Effect.die(defect)
  }
}
