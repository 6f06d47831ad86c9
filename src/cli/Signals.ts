/**
 * SIGINT, SIGTERM and SIGHUP. A command that says nothing is interrupted by the first one, which runs its finalizers;
 * one that takes them over (`serve`) decides itself what each means.
 */
import { Context, Effect, Queue } from "effect"
import { constants } from "node:os"
import { Stopped } from "./failures.ts"

const heard = ["SIGINT", "SIGTERM", "SIGHUP"] as const
type Signal = (typeof heard)[number]

export class Signals extends Context.Service<
  Signals,
  {
    /** From now on signals are told by `next`, and interrupt nothing. */
    readonly takeOver: Effect.Effect<void>
    readonly next: Effect.Effect<Signal>
  }
>()("troupe/cli/Signals") {}

/** Runs a command under signals; `Stopped` where one ended it. */
export const under = <A, E, R>(command: Effect.Effect<A, E, R>): Effect.Effect<A, E | Stopped, Exclude<R, Signals>> =>
  Effect.scoped(
    Effect.gen(function* () {
      const arrived = yield* Queue.sliding<Signal>(8)
      let taken = false
      const takeOver = Effect.sync(() => void (taken = true))
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          const listen = (signal: Signal) => void Queue.offerUnsafe(arrived, signal)
          for (const signal of heard) process.on(signal, listen)
          return listen
        }),
        (listen) => Effect.sync(() => heard.forEach((signal) => void process.off(signal, listen)))
      )
      const next = Queue.take(arrived)
      const stopped = Effect.flatMap(next, (signal) =>
        Effect.suspend(() => {
          if (!taken) return Effect.fail(new Stopped({ exitCode: 128 + constants.signals[signal] }))
          // It came for the command: hand it back, and leave the queue to it.
          Queue.offerUnsafe(arrived, signal)
          return Effect.never
        })
      )
      const signals = Signals.of({ takeOver, next })
      return yield* Effect.raceFirst(Effect.provideService(command, Signals, signals), stopped)
    })
  )
