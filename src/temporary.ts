/**
 * Temporary directories that no kill leaves for ever. Each holds a lock while its process runs, and the next start of any
 * Troupe of the same user removes those whose lock nobody holds.
 */
import { Effect } from "effect"
import type { Scope } from "effect"
import { existsSync, lstatSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { launchParent } from "./agent/temporaryParents.ts"
import type { Parents } from "./agent/temporaryParents.ts"
import * as LockFile from "./ledger/lockFile.ts"

export interface Temporary {
  readonly path: string
  readonly remove: () => void
}

const lockName = "held"

/** A fresh directory in `parent`. */
export const make = (parent: string): Temporary => {
  const path = mkdtempSync(join(parent, "troupe-"))
  const lock = locked(path)
  return {
    path,
    remove: () => {
      removeAll(path)
      lock?.release()
    }
  }
}

/**
 * The lock gets its name once it is held, because a sweep takes what has one and is free for left. `null`: the file system
 * has no locks.
 */
const locked = (path: string): LockFile.HeldLock | null => {
  const draft = join(path, `${lockName}.new`)
  let lock: LockFile.HeldLock | null = null
  try {
    lock = LockFile.take(draft)
    renameSync(draft, join(path, lockName))
    return lock
  } catch {
    lock?.release()
    return null
  }
}

/** Directories in which those for agents are made, each made when the first is wanted; removed with the scope. */
export const parents: Effect.Effect<Parents, never, Scope.Scope> = Effect.gen(function* () {
  const within = (parent: () => string) =>
    Effect.map(
      Effect.acquireRelease(
        Effect.sync((): { made?: Temporary } => ({})),
        (held) => Effect.sync(() => held.made?.remove())
      ),
      (held) => () => (held.made ??= make(parent())).path
    )
  return { launch: yield* within(launchParent), work: yield* within(tmpdir) }
})

/** Removes what dead processes of this user left. */
export const sweep = Effect.sync(() => {
  for (const parent of new Set([launchParent(), tmpdir()])) {
    for (const name of namesIn(parent)) {
      const path = join(parent, name)
      try {
        if (isLeft(path, name)) removeAll(path)
      } catch {
        // The next start tries again.
      }
    }
  }
})

const held = /^troupe-[A-Za-z0-9]{6}$/
/** Without a lock: of a command that starts one agent and ends with it, or of a version before the locks. */
const unheld = /^troupe-(?:agent|gemini|run|doctor|demo)-[A-Za-z0-9]{6}$/
const keptMillis = 7 * 24 * 3_600_000

const namesIn = (parent: string): ReadonlyArray<string> => {
  try {
    return readdirSync(parent)
  } catch {
    return []
  }
}

const isLeft = (path: string, name: string): boolean => {
  if (!held.test(name) && !unheld.test(name)) return false
  const there = lstatSync(path, { throwIfNoEntry: false })
  if (there?.isDirectory() !== true || there.uid !== process.getuid?.()) return false
  if (unheld.test(name)) return Date.now() - there.mtimeMs > keptMillis
  const file = join(path, lockName)
  if (!existsSync(file)) return false
  try {
    // Nobody else takes it: its process is dead, and another sweep would remove the same.
    LockFile.take(file).release()
    return true
  } catch {
    return false
  }
}

const removeAll = (path: string): void => rmSync(path, { recursive: true, force: true, maxRetries: 3 })
