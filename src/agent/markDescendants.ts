/** Marks the processes of a lease, and so all that they start from then on (`descentMark.ts`). */
import { Effect } from "effect"
import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import type { LeaseId } from "../domain/Ids.ts"
import * as DescentMark from "./descentMark.ts"
import * as ProcessTable from "./processTable.ts"

/** More rounds than a program that is just starting has generations. */
const markRounds = 5

/** `prlimit` takes some milliseconds. A child is not kept waiting for one that hangs. */
const withinMillis = 2_000

/**
 * Marks a child that has just been spawned, and what it has started meanwhile: a program behind a shell's script, such as
 * an agent that is installed as one, has begun within the milliseconds that the first mark takes.
 */
export const markDescendants = (lease: LeaseId, groups: () => ReadonlyArray<number>): Effect.Effect<void> =>
  Effect.gen(function* () {
    if (!DescentMark.marks) return
    for (let round = 0; round < markRounds; round++) {
      const own = new Set(groups())
      const unmarked = ProcessTable.pids().filter((pid) => {
        const stat = own.has(pid) || round > 0 ? ProcessTable.stat(pid) : null
        return stat !== null && !stat.zombie && own.has(stat.group) && DescentMark.markIn(pid) === null
      })
      if (round > 0 && unmarked.length === 0) return
      yield* Effect.forEach(unmarked, (pid) => mark(pid, lease), { concurrency: "unbounded", discard: true })
    }
  })

/** Succeeds also where it can't. */
const mark = (pid: number, lease: LeaseId): Effect.Effect<void> =>
  DescentMark.program === null
    ? Effect.void
    : Effect.callback<void>((resume) => {
        const value = DescentMark.markOf(lease)
        const args = ["--pid", String(pid), `--rttime=${value}:${value}`]
        execFile(DescentMark.program!, args, { env: {}, timeout: withinMillis }, (error) => {
          // A child that has exited meanwhile needs none.
          resume(
            error === null || !existsSync(`/proc/${pid}`)
              ? Effect.void
              : Effect.logWarning(`Process ${pid} could not be marked: ${error.message.trim()}`)
          )
        })
      }).pipe(Effect.uninterruptible)
