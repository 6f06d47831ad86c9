/**
 * Troupe's end of the warden: a process that ends all agents when this one has died, or is stopped for so long that
 * another node may go on with their sessions (`warden/main.ts`).
 *
 * It is started with the first lease, and again where it ends before Troupe. Without it agents of a Troupe that was killed
 * run on until the next start, which looks for them anyway; so a warden that can't be started is a warning, no failure.
 */
import { Context, Effect, Layer } from "effect"
import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { existsSync } from "node:fs"
import { tmpdir } from "node:os"
import type { Writable } from "node:stream"
import type { LeaseId } from "../domain/Ids.ts"
import { HeldLeases } from "./HeldLeases.ts"
import type { HeldLease } from "./HeldLeases.ts"
import type { Leader } from "./leaseSearch.ts"
import { ownProgram } from "./ownProgram.ts"
import * as Instant from "./warden/instant.ts"
import { encode } from "./warden/lines.ts"
import type { WardenLine } from "./warden/lines.ts"

/** Doubled each time, up to a minute. */
const startAgainSeconds = 1
const mostDoublings = 6
/** It ends in milliseconds where nothing is left. */
const endWithinMillis = 2_000

export class Warden extends Context.Service<
  Warden,
  {
    /**
     * All of the lease is ended with this process from now on, until `release`. Where the agents' time is over once after
     * this, the lease may start no process (`HeldLeases`), until it is held anew.
     */
    readonly hold: (lease: LeaseId) => Effect.Effect<void>
    readonly mayStart: (lease: LeaseId) => Effect.Effect<boolean>
    /** Spawns a process of the lease, which is held from before that on. */
    readonly holding: <A, E, R>(lease: LeaseId, spawn: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
    /** The group that the process leads, once it has been spawned. */
    readonly addGroup: (lease: LeaseId, group: number, leader: Leader) => Effect.Effect<void>
    /** The process has been ended with its group. It may have descendants that left the group. */
    readonly removeGroup: (lease: LeaseId, group: number) => Effect.Effect<void>
    /** The kernel has no process of the lease any more. Does nothing while one is being spawned. */
    readonly release: (lease: LeaseId) => Effect.Effect<void>
    /**
     * All agents are ended at that time unless a later one is told before, whatever this process does then. Until this is
     * told first, they may run as long as this process does.
     */
    readonly mayRunUntil: (until: Instant.Instant) => Effect.Effect<void>
    /** The warden's pid; `null`: there is none now. */
    readonly pid: () => number | null
  }
>()("troupe/agent/Warden") {
  static readonly layer: Layer.Layer<Warden> = Layer.effect(
    Warden,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const runFork = Effect.runForkWith(yield* Effect.context())
  const held = new HeldLeases()
  let warden: ChildProcess | null = null
  let isClosed = false
  let ends = 0
  /** It is to be started again later, or never. */
  let isAwaited = false

  const start = () => {
    const main = ownProgram("warden")
    if (!existsSync(main)) {
      isAwaited = true
      return void runFork(
        Effect.logWarning(
          `${main} is missing, as where an app is bundled into one file and can't write to ${tmpdir()}. So agents of a Troupe that is killed run until its next start.`
        )
      )
    }
    // Not of our group or session: what ends those must not end it.
    const started = spawn(process.execPath, [main], {
      cwd: "/",
      detached: true,
      // Electron's program is Node only if told so.
      env: process.versions["electron"] === undefined ? {} : { ELECTRON_RUN_AS_NODE: "1" },
      stdio: ["pipe", "ignore", "ignore"]
    })
    warden = started
    const ended = (why: string) => {
      if (warden !== started) return
      warden = null
      isAwaited = true
      if (!isClosed) runFork(startAgain(why))
    }
    started.on("error", (error) => ended(error.message))
    started.once("exit", (code, signal) => ended(`it ended with ${signal ?? code}`))
    // It must not keep an app alive that embeds Troupe.
    started.unref()
    // There is none where it could not be started.
    const stdin = started.stdin as (Writable & { readonly unref?: () => void }) | undefined
    stdin?.unref?.()
    stdin?.on("error", () => {})
    const { until } = held
    if (until !== null) tell(["until", until.wall, until.monotonic])
    for (const [lease, { groups }] of held) {
      tell(["hold", lease])
      for (const [group, { startTime }] of groups) tell(["group", lease, group, startTime])
    }
  }

  const startAgain = Effect.fnUntraced(function* (why: string) {
    const again = startAgainSeconds * 2 ** Math.min(ends++, mostDoublings)
    yield* Effect.logWarning(
      `The process that ends all agents when Troupe is killed is gone (${why}). It is started again in ${again} s; without it they would run until Troupe's next start.`
    )
    yield* Effect.sleep(`${again} seconds`)
    isAwaited = false
    if (!isClosed && warden === null && held.size > 0) start()
  })

  const hold = (lease: LeaseId): HeldLease => {
    const isKnown = held.has(lease)
    const known = held.hold(lease)
    if (isKnown) return known
    if (warden !== null) tell(["hold", lease])
    else if (!isAwaited) start()
    return known
  }

  const tell = (line: WardenLine) => void warden?.stdin?.write(encode(line))

  yield* Effect.addFinalizer(() =>
    Effect.callback<void>((resume) => {
      isClosed = true
      if (warden === null) return resume(Effect.void)
      const timer = setTimeout(() => resume(Effect.void), endWithinMillis)
      warden.once("exit", () => {
        clearTimeout(timer)
        resume(Effect.void)
      })
      warden.ref()
      warden.stdin?.end()
    })
  )

  return Warden.of({
    hold: (lease) => Effect.sync(() => void (hold(lease).isOver = false)),
    mayStart: (lease) => Effect.sync(() => held.mayStart(lease, Instant.now())),
    holding: (lease, spawn) =>
      Effect.acquireUseRelease(
        Effect.sync(() => {
          const known = hold(lease)
          known.spawning += 1
          return known
        }),
        () => spawn,
        (known) => Effect.sync(() => void (known.spawning -= 1))
      ),
    addGroup: (lease, group, leader) =>
      Effect.sync(() => {
        held.get(lease)?.groups.set(group, leader)
        tell(["group", lease, group, leader.startTime])
      }),
    removeGroup: (lease, group) =>
      Effect.sync(() => {
        if (held.get(lease)?.groups.delete(group) === true) tell(["ended", lease, group])
      }),
    release: (lease) =>
      Effect.sync(() => {
        if (held.get(lease)?.spawning === 0 && held.delete(lease)) tell(["release", lease])
      }),
    mayRunUntil: (until) =>
      Effect.sync(() => {
        if (held.extend(until, Instant.now())) tell(["until", until.wall, until.monotonic])
      }),
    pid: () => warden?.pid ?? null
  })
})
