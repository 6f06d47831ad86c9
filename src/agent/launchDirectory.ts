/**
 * Where the processes of an agent and of its MCP servers start.
 *
 * Programs that fetch or interpret what they start take it from the directory in which they start, before a registry or an
 * installation: `npx` runs what is in its `node_modules` and asks the registry that its `.npmrc` names. In a stranger's
 * repository that would be the stranger's program, with the operator's accounts, under every permission word. So they start
 * in an empty directory. ACP and codex say that an agent works in the `cwd` of its session, wherever it was started; a run
 * has no directory of its own.
 */
import { Effect } from "effect"
import { writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import type { McpServer } from "../domain/McpServer.ts"
import type { OpenRequest } from "./Agent.ts"
import type { Processes } from "./Processes.ts"
import * as Repository from "./repository.ts"

const fetchers = /^(?:npx|npm|pnpm|pnpx|yarn|yarnpkg|bun|bunx|deno|uv|uvx|pipx|python[\d.]*|pypy[\d.]*)$/

/** Also behind a wrapper, as in `sh -c "exec npx …"`. */
export const startsFromItsDirectory = (command: ReadonlyArray<string>): boolean =>
  command.some((word) => word.split(/\s+/).some((part) => fetchers.test(basename(part))))

/** The directory in which the command is to be started for a session in `cwd`. */
export const launchDirectory = (processes: Maker, command: ReadonlyArray<string>, cwd: string) =>
  startsFromItsDirectory(command) ? emptyDirectory(processes) : Effect.succeed(cwd)

/**
 * The MCP servers of a session as its agent is told of them. The agent starts them, in the session's directory; so those
 * that fetch what they start change to an empty one first. An operator who trusts the directory has them start there.
 */
export const mcpServersOf = Effect.fnUntraced(function* (
  processes: Maker,
  { cwd, mcpServers, permissions }: Pick<OpenRequest, "cwd" | "mcpServers" | "permissions">,
  trustedRoots: ReadonlyArray<string> | undefined
) {
  const fetches = (server: McpServer) =>
    "command" in server && startsFromItsDirectory([server.command, ...(server.args ?? [])])
  if (permissions === "approve_all" || !mcpServers.some(fetches) || Repository.isTrusted(cwd, trustedRoots)) {
    return mcpServers
  }
  const directory = yield* emptyDirectory(processes)
  return mcpServers.map((server) =>
    "command" in server && fetches(server)
      ? {
          ...server,
          command: "/bin/sh",
          args: ["-c", 'cd -- "$0" && exec "$@"', directory, server.command, ...(server.args ?? [])]
        }
      : server
  )
})

/**
 * Removed with the scope. Without a package of its own npm would look in the directories above it. It looks there all the same for
 * one that has this one as a part (`workspaces`): so it is made where only this user can write above it (`temporary.ts`).
 */
export const emptyDirectory = (processes: Maker) =>
  Effect.tap(processes.temporary("agent"), (directory) =>
    Effect.sync(() => writeFileSync(join(directory, "package.json"), "{}"))
  )

type Maker = Pick<Processes["Service"], "temporary">
