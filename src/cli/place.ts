/**
 * Where the sessions of a command are (`chat`, `acp`, `mcp`): on the server that `--url` names, on the one that runs on the data dir, or in this process.
 *
 * In this process its data is in a directory of the user's own, one for each directory that the command works in, so that a
 * repository has nothing of it; unless a data dir is named.
 */
import { Effect, Option } from "effect"
import { createHash } from "node:crypto"
import { realpathSync } from "node:fs"
import { homedir } from "node:os"
import { basename, isAbsolute, join } from "node:path"
import { BadUsage } from "./failures.ts"
import { configuration } from "./options.ts"
import { findServer, localServer, tokenFor } from "./server.ts"
import type { Server, ServerFlags } from "./server.ts"

export type Place =
  | { readonly _tag: "Server"; readonly server: Server; readonly isLocal: boolean }
  | ({ readonly _tag: "Here" } & Effect.Success<ReturnType<typeof configuration>>)

/** `cwd`: where the command works. `command`: whose data in this process is. */
export const placeOf = Effect.fnUntraced(function* (
  flags: ServerFlags,
  cwd: string,
  command: "acp" | "chat" | "mcp" = "chat"
): Effect.fn.Return<Place, Effect.Error<ReturnType<typeof findServer>>> {
  const { config, dataDir, token, url } = flags
  if (Option.isSome(url)) {
    if (Option.isSome(dataDir) || Option.isSome(config)) return yield* new BadUsage({ problem: eitherOr })
    return { _tag: "Server", server: yield* findServer(flags), isLocal: false }
  }
  const local = yield* localServer(flags)
  if (local.running !== null) {
    const server = { url: local.running.url, token: yield* tokenFor(local, token) }
    return { _tag: "Server", server, isLocal: true }
  }
  const configured = yield* configuration({ config, dataDir })
  const { settings } = configured
  const isOwn = configured.isDataDirDefault && configured.databaseUrl === undefined
  return {
    _tag: "Here",
    ...configured,
    settings: isOwn ? { ...settings, dataDir: ownDataDir(command, cwd) } : settings
  }
})

const eitherOr =
  "--url (or TROUPE_URL) names a server, and --data-dir and --config work without one. Give one or the other."

/** Named after the directory, and different for each: `~/.local/share/troupe/chat/repo-4f1c9e2a7b30`. */
const ownDataDir = (command: string, cwd: string): string => {
  const given = process.env["XDG_DATA_HOME"]
  // The specification has relative ones ignored.
  const base = given !== undefined && isAbsolute(given) ? given : join(homedir(), ".local", "share")
  const path = realPathOf(cwd)
  const name = basename(path)
    .replace(/[^\w.-]/g, "_")
    .slice(0, 60)
  return join(base, "troupe", command, `${name}-${createHash("sha256").update(path).digest("hex").slice(0, 12)}`)
}

/** One directory has one, by whatever path it is reached. */
const realPathOf = (path: string): string => {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
