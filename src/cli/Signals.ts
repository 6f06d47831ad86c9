/**
 * SIGINT, SIGTERM and SIGHUP, which also stands for output that nobody reads any more. The first one interrupts a command, which runs its finalizers; a command that takes them
 * over (`serve`, `chat`) decides itself what each one means.
 */
import { Context, Effect, Queue } from "effect"
import { constants } from "node:os"
import { Stopped } from "./failures.ts"

const handledSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const
type Signal = (typeof handledSignals)[number]

export class Signals extends Context.Service<
  Signals,
  {
    /** From now on signals are delivered by `next`, and interrupt nothing. */
    readonly takeOver: Effect.Effect<void>
    readonly next: Effect.Effect<Signal>
  }
>()("troupe/cli/Signals") {}

/** Runs a command that signals can end: it then fails with `Stopped`. */
export const under = <A, E, R>(command: Effect.Effect<A, E, R>): Effect.Effect<A, E | Stopped, Exclude<R, Signals>> =>
  Effect.scoped(
    Effect.gen(function* () {
      const arrived = yield* Queue.sliding<Signal>(8)
      let takenOver = false
      let hungUp = false
      /** `troupe … | head` closes the pipe early, which is no failure; a server whose reader is gone still has to settle. */
      const outputFailed = (error: NodeJS.ErrnoException) => {
        const isReaderGone = error.code === "EPIPE"
        if (!takenOver) process.exit(isReaderGone ? 0 : 1)
        // A line that could not be written for another reason is lost, and the next one may be written: a disk was full.
        if (!isReaderGone) return
        if (!hungUp) Queue.offerUnsafe(arrived, "SIGHUP")
        hungUp = true
      }
      const takeOver = Effect.sync(() => void (takenOver = true))
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          const listen = (signal: Signal) => void Queue.offerUnsafe(arrived, signal)
          for (const signal of handledSignals) process.on(signal, listen)
          for (const output of [process.stdout, process.stderr]) output.on("error", outputFailed)
          return listen
        }),
        // Errors of the output stay handled: the last lines may still fail.
        (listen) => Effect.sync(() => handledSignals.forEach((signal) => void process.off(signal, listen)))
      )
      const next = Queue.take(arrived)
      const stopped = Effect.flatMap(next, (signal) =>
        Effect.suspend(() => {
          if (!takenOver) return Effect.fail(new Stopped({ exitCode: 128 + constants.signals[signal] }))
          // The signal is for the command: put it back, and leave the queue to it.
          Queue.offerUnsafe(arrived, signal)
          return Effect.never
        })
      )
      const signals = Signals.of({ takeOver, next })
      return yield* Effect.raceFirst(Effect.provideService(command, Signals, signals), stopped)
    })
  )
