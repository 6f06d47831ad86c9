/**
 * The files of Claude Code's conversations: `projects/<directory>/<conversation>.jsonl` in its configuration directory, where
 * `<directory>` is the session's one with each other character as a dash. What sub-agents said is in files of their own,
 * which the conversation does not need.
 */
import { readdir, stat } from "node:fs/promises"
import { isAbsolute, join } from "node:path"
import * as OfCodex from "../codex/conversationFiles.ts"
import type { ConversationFiles } from "../ConversationFiles.ts"
import type { KnownAgent } from "./knownAgents.ts"

const isConversation = (id: string): boolean => /^[0-9A-Za-z-]{8,64}$/.test(id)

/** Of a long one it is cut. */
const projectOf = (cwd: string): string => cwd.replaceAll(/[^A-Za-z0-9]/g, "-")

/** `null`: they are not known of this agent. */
export const of = (agent: KnownAgent | null, env: Readonly<Record<string, string>>, cwd: string) => {
  switch (agent) {
    case "claude":
      return ofClaude(env, cwd)
    case "codex":
      // codex-acp has codex itself keep them, each by the id of its session.
      return OfCodex.make(env)
    default:
      return null
  }
}

/** `null`: its home is not known. */
export const ofClaude = (env: Readonly<Record<string, string>>, cwd: string): ConversationFiles | null => {
  const home = env["CLAUDE_CONFIG_DIR"] ?? join(env["HOME"] ?? "", ".claude")
  if (!isAbsolute(home)) return null
  const isThere = (path: string) =>
    stat(join(home, path)).then(
      (file) => file.isFile(),
      () => false
    )
  return {
    home,
    isPathOf: (path, thread) => {
      const [projects, project = "", file, ...more] = path.split("/")
      return (
        isConversation(thread) &&
        projects === "projects" &&
        /^[A-Za-z0-9-]{1,255}$/.test(project) &&
        file === `${thread}.jsonl` &&
        more.length === 0
      )
    },
    find: async (thread) => {
      if (!isConversation(thread)) return null
      const own = `projects/${projectOf(cwd)}/${thread}.jsonl`
      if (await isThere(own)) return own
      for (const project of await readdir(join(home, "projects")).catch(() => [])) {
        const path = `projects/${project}/${thread}.jsonl`
        if (await isThere(path)) return path
      }
      return null
    },
    // In all turns that were looked at (0.101) nothing came after the end; it is written in the background all the same.
    lateMillis: 250
  }
}
