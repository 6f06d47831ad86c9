/**
 * The files of codex's threads: `sessions/YYYY/MM/DD/rollout-<time>-<thread>.jsonl` below its home (0.169 to 0.171). A
 * thread is resumed from that file alone; the databases beside it are made anew from it.
 */
import { readdir } from "node:fs/promises"
import { isAbsolute, join } from "node:path"
import type { ConversationFiles } from "../ConversationFiles.ts"

const isThread = (thread: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(thread)

const nameIn = (path: string): string | undefined =>
  /^sessions\/\d{4}\/\d\d\/\d\d\/rollout-[\dT-]{10,40}-([0-9a-f-]{36})\.jsonl$/.exec(path)?.[1]

/** The newest first. */
const within = async (directory: string): Promise<ReadonlyArray<string>> =>
  (await readdir(directory).catch(() => [])).sort().toReversed()

/** `null`: its home is not known. */
export const make = (env: Readonly<Record<string, string>>): ConversationFiles | null => {
  const home = env["CODEX_HOME"] ?? join(env["HOME"] ?? "", ".codex")
  if (!isAbsolute(home)) return null
  return {
    home,
    isPathOf: (path, thread) => isThread(thread) && nameIn(path) === thread,
    find: async (thread) => {
      if (!isThread(thread)) return null
      for (const year of await within(join(home, "sessions"))) {
        for (const month of await within(join(home, "sessions", year))) {
          for (const day of await within(join(home, "sessions", year, month))) {
            const names = await within(join(home, "sessions", year, month, day))
            const path = names
              .map((name) => `sessions/${year}/${month}/${day}/${name}`)
              .find((path) => nameIn(path) === thread)
            if (path !== undefined) return path
          }
        }
      }
      return null
    },
    // A turn is in its file before its end is reported.
    lateMillis: 0
  }
}
