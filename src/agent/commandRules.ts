/**
 * Codex's rules for commands of its operator's: files such as those to which a person's "don't ask again" adds. A command
 * that such a rule allows leaves codex's sandbox unasked (0.171), and no setting of a thread has codex leave them out.
 */
import { readdirSync } from "node:fs"
import { join } from "node:path"

/**
 * A directory of rules in codex's configuration; `null`: there are none. What the rules say is not read, for that is a
 * language. Those of a repository count only where the operator trusts it.
 */
export const commandRulesOf = (codexHome: string): string | null =>
  [codexHome, "/etc/codex"].map((directory) => join(directory, "rules")).find(hasRules) ?? null

/** What can't be listed may have some. */
const hasRules = (directory: string): boolean => {
  try {
    return readdirSync(directory).some((name) => name.endsWith(".rules"))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code !== "ENOENT" && code !== "ENOTDIR"
  }
}
