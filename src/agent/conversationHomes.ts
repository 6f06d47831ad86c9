/**
 * The directories in which codex and Claude Code keep their conversations, as an agent finds them that nobody gave another one,
 * and a mark of each: two machines that see the same directory of a shared file system see the same number.
 */
import { Effect } from "effect"
import { stat } from "node:fs/promises"
import process from "node:process"
import { ofClaude } from "./acp/conversationFiles.ts"
import * as OfCodex from "./codex/conversationFiles.ts"

export interface ConversationHome {
  /** The variable that names it. */
  readonly variable: "CODEX_HOME" | "CLAUDE_CONFIG_DIR"
  readonly path: string
  /** Its number in its file system; `null`: it is not there. */
  readonly inode: string | null
}

export const seen: Effect.Effect<ReadonlyArray<ConversationHome>> = Effect.promise(async () => {
  const env = Object.fromEntries(Object.entries(process.env).flatMap(([name, value]) => (value ? [[name, value]] : [])))
  const homes = [
    ["CODEX_HOME", OfCodex.make(env)?.home],
    ["CLAUDE_CONFIG_DIR", ofClaude(env, "/")?.home]
  ] as const
  const found: Array<ConversationHome> = []
  for (const [variable, path] of homes) {
    if (path === undefined) continue
    const inode = await stat(path, { bigint: true }).then(
      ({ ino }) => String(ino),
      () => null
    )
    found.push({ variable, path, inode })
  }
  return found
})
