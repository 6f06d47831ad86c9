/**
 * Codex's sandbox puts empty directories in a workspace while a command runs, to keep the command from making them.
 * A command that is killed leaves them behind (seen with 0.169: after backgroundTerminals/clean, EOF and SIGTERM), and an
 * empty `.git` confuses every git below it. Whatever was there before, or has something in it, is not touched.
 */
import { existsSync, rmdirSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"

const names = [".git", ".codex", ".agents", ".aws"]

/** Looks now; the effect inside removes what came since. */
export const remember = (workspace: string): Effect.Effect<Effect.Effect<void>> =>
  Effect.sync(() => {
    const absent = names.map((name) => join(workspace, name)).filter((path) => !existsSync(path))
    return Effect.sync(() => {
      for (const path of absent) {
        try {
          rmdirSync(path)
        } catch {
          // Not there, not empty, or not a directory: none of it is ours.
        }
      }
    })
  })
