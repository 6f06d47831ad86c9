/**
 * Has codex trust no directory but those that the operator names (`trustedRoots`), so that a repository decides nothing:
 * no writable roots, no network, no rules for commands and no MCP servers of its `.codex`.
 *
 * Without it a thread that may write makes codex trust its directory for ever, in CODEX_HOME/config.toml, for the operator's
 * own use of codex, too (0.171). An explicit word in the parameters also counts before what is in that file.
 */
import { realpathSync } from "node:fs"
import { dirname, resolve } from "node:path"
import type { JsonObject } from "../../domain/json.ts"
import * as Repository from "../repository.ts"

/**
 * The value of `config.projects`. Codex looks up each directory from the session's to the root of the repository, by its
 * real path before the given one, and then the repository's roots (of a worktree: the main one). With every directory above
 * the session's named, each of these look-ups ends here, whatever marks a repository's root in the operator's settings.
 */
export const projectTrust = (cwd: string, trustedRoots: ReadonlyArray<string> = []): JsonObject =>
  Object.fromEntries(
    [...ancestorsOf(cwd), ...ancestorsOf(realOf(cwd))].map((directory) => [
      directory,
      { trust_level: Repository.isTrusted(directory, trustedRoots) ? "trusted" : "untrusted" }
    ])
  )

const ancestorsOf = (path: string): ReadonlyArray<string> => {
  const directories: Array<string> = []
  for (let directory = resolve(path); ; directory = dirname(directory)) {
    directories.push(directory)
    if (directory === dirname(directory)) return directories
  }
}

/** A directory that does not exist has no settings. */
const realOf = (path: string): string => {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
