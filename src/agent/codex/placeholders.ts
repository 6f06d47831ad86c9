/**
 * Removes the empty directories that codex's sandbox leaves in a workspace.
 *
 * The sandbox makes them while a command runs, so that the command can't. A killed command leaves them (seen with 0.169:
 * after backgroundTerminals/clean, EOF and SIGTERM), and an empty `.git` misleads every git below it. A directory that
 * was there before, or that is not empty, is not touched.
 */
import { existsSync, rmdirSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"

const names = [".git", ".codex", ".agents", ".aws"]

/** Notes which are absent now. The inner effect removes those that have come since. */
export const remember = (workspace: string): Effect.Effect<Effect.Effect<void>> =>
  Effect.sync(() => {
    const absent = names.map((name) => join(workspace, name)).filter((path) => !existsSync(path))
    return Effect.sync(() => {
      for (const path of absent) {
        try {
          rmdirSync(path)
        } catch {
          // It does not exist, is not empty, or is no directory: then it is not codex's placeholder.
        }
      }
    })
  })
