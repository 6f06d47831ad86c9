/**
 * Has codex trust no directory but those that the operator names (`trustedRoots`), so that a repository decides nothing:
 * no writable roots, no network, no rules for commands and no MCP servers of its `.codex`.
 *
 * Without it a thread that may write makes codex trust its directory for ever, in CODEX_HOME/config.toml, for the operator's
 * own use of codex, too (0.171). An explicit word in the parameters also counts before what is in that file.
 */
import type { JsonObject } from "../../domain/json.ts"
import * as Repository from "../repository.ts"

/**
 * The value of `config.projects`. Codex looks up each directory from the session's to the root of the repository, by its
 * real path before the given one, and then the repository's roots (of a worktree: the main one). With every directory above
 * the session's named, each of these look-ups ends here, whatever marks a repository's root in the operator's settings.
 */
export const projectTrust = (cwd: string, trustedRoots: ReadonlyArray<string> = []): JsonObject =>
  Object.fromEntries(
    [...Repository.ancestors(cwd), ...Repository.ancestors(Repository.realOf(cwd) ?? cwd)].map((directory) => [
      directory,
      { trust_level: Repository.isTrusted(directory, trustedRoots) ? "trusted" : "untrusted" }
    ])
  )
