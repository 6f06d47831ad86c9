/**
 * Has the git of an agent's commands run nothing that a session's repository names.
 *
 * Git takes programs from the repository's own configuration (`core.fsmonitor`, `diff.external`, hooks, …) and runs them in
 * commands that only read, such as `git status`. No setting of git's leaves that configuration out. But what comes with a
 * command wins over it, and git passes that on to the commands below it in one variable. So there each key that names a
 * program has its operator's value, or one that runs nothing.
 *
 * Seen on git 2.39; `test/agent/gitConfig.test.ts` runs the real one in a hostile repository.
 */
import { Effect, Stream } from "effect"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { AgentFailed } from "./Agent.ts"
import type { OpenRequest } from "./Agent.ts"
import * as Executable from "./executable.ts"
import { harmless, isFilter, isList, isProgram } from "./gitPrograms.ts"
import type { Processes } from "./Processes.ts"
import * as Repository from "./repository.ts"

type Environment = Readonly<Record<string, string>>

/**
 * What `git -c` sets. Not the documented GIT_CONFIG_COUNT: the operator may have set that, and an agent that keeps variables
 * with KEY in their names from its commands would leave a count without its keys, at which git fails.
 */
const variable = "GIT_CONFIG_PARAMETERS"

const proxy = "GIT_PROXY_COMMAND"

/** Seen on Claude Code 2.1.328: its system prompt is without instructions for git, and the repository's state. */
const withoutGitStatus = { CLAUDE_CODE_DISABLE_GIT_INSTRUCTIONS: "1" }

/** Set in every directory: a read or a commit would run them, also in a repository below the session's directory. */
const always: ReadonlyArray<readonly [string, string]> = [
  ["core.fsmonitor", "false"],
  ["core.hookspath", "/dev/null"],
  ["protocol.ext.allow", "never"],
  // A clone can contain a directory that git takes for a repository with a configuration of its own.
  ["safe.barerepository", "explicit"]
]

const withinMillis = 10_000
const maxCharacters = 1024 * 1024

/** Variables for the agent's process. Empty where everything is approved, or its operator trusts the directory. */
export const environment = Effect.fnUntraced(function* (
  processes: Processes["Service"],
  { cwd, lease, permissions }: Pick<OpenRequest, "cwd" | "lease" | "permissions">,
  env: Environment,
  trustedRoots: ReadonlyArray<string> | undefined
) {
  const git = Executable.find("git", env["PATH"])
  if (git === null || permissions === "approve_all" || Repository.isTrusted(cwd, trustedRoots)) return {}
  const entries = yield* listed(processes, { git, cwd, lease, env })
  const own = env[variable] === undefined ? [] : [env[variable]]
  return {
    [variable]: [...own, ...overrides(entries).map(quoted)].join(" "),
    // Claude Code's own `git status` at its start takes no such variable, and leaves out all programs but filters.
    ...(entries.some(({ isRepositorys, key }) => isRepositorys && isFilter(key)) ? withoutGitStatus : {}),
    // Of this key the first value counts, not the last; an empty variable goes before all.
    ...(entries.some(({ isRepositorys, key }) => isRepositorys && key === "core.gitproxy")
      ? { [proxy]: env[proxy] ?? "" }
      : {})
  }
})

/**
 * Whether git finds no repository from a directory, so that its environment is the same as in any other such one. More is
 * taken for a repository than git does.
 */
export const isOutside = (cwd: string, env: Environment): boolean =>
  !repositoryVariables.some((name) => env[name] !== undefined) &&
  [...Repository.ancestors(cwd), ...Repository.ancestors(Repository.realOf(cwd) ?? cwd)].every(
    (directory) => !existsSync(join(directory, ".git")) && !existsSync(join(directory, "HEAD"))
  )

/** They name a repository, or where to look for one, wherever git is started. */
const repositoryVariables = ["GIT_DIR", "GIT_COMMON_DIR", "GIT_WORK_TREE"]

interface Entry {
  readonly key: string
  readonly value: string
  readonly isRepositorys: boolean
}

/** The operator's own, of the system, the user or the environment. */
const ownScopes = new Set(["system", "global", "command"])

const overrides = (entries: ReadonlyArray<Entry>): ReadonlyArray<readonly [string, string]> => {
  const ownOf = (key: string) =>
    entries.flatMap((entry) => (entry.key === key && !entry.isRepositorys ? entry.value : []))
  const named = new Set(entries.flatMap(({ isRepositorys, key }) => (isRepositorys && isProgram(key) ? key : [])))
  for (const [key] of always) named.delete(key)
  const keys = [...named]
  const lists = keys.filter(isList)
  return [
    ...always.map(([key, value]) => [key, ownOf(key).at(-1) ?? value] as const),
    ...keys.filter((key) => !isList(key)).flatMap((key) => harmless(key, ownOf(key).at(-1))),
    // An empty value empties the list, whichever address its key is for.
    ...lists.map((key) => [key, ""] as const),
    ...(lists.length === 0
      ? []
      : entries.flatMap(({ isRepositorys, key, value }) =>
          isList(key) && !isRepositorys ? [[key, value] as const] : []
        ))
  ]
}

/** As `sq_dequote` of git's reads it. Versions before 2.31 know the first form only, in which a key ends at the first `=`. */
const quoted = ([key, value]: readonly [string, string]): string =>
  key.includes("=") ? `${quote(key)}=${quote(value)}` : quote(`${key}=${value}`)

const quote = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`

/**
 * Every entry of git's configuration for a directory. What git can't read here its later commands can't either, so then
 * there are none. Git starts nothing for it.
 */
const listed = Effect.fnUntraced(
  function* (
    processes: Processes["Service"],
    { cwd, env, git, lease }: Pick<OpenRequest, "cwd" | "lease"> & { readonly git: string; readonly env: Environment }
  ) {
    const command = [git, "-C", cwd, "config", "--list", "--show-scope", "-z"] as const
    const child = yield* processes.spawn({
      lease,
      command,
      cwd: "/",
      env,
      stdin: false,
      // The pid that is reported is the agent's.
      spawned: () => Effect.void
    })
    let output = ""
    yield* child.stdout.pipe(
      Stream.decodeText(),
      Stream.takeUntil((text) => (output += text).length > maxCharacters),
      Stream.runDrain
    )
    if (output.length > maxCharacters) return yield* unreadable(cwd)
    const { code } = yield* child.exit
    return code === 0 ? entriesIn(output) : []
  },
  Effect.scoped,
  (listing, _, { cwd }) =>
    // The configuration can include a pipe that never ends.
    Effect.timeoutOrElse(listing, { duration: withinMillis, orElse: () => unreadable(cwd) })
)

const unreadable = (cwd: string) =>
  new AgentFailed({
    class: "config",
    message: `The git configuration of ${cwd} is too large, or could not be read within ${withinMillis / 1_000} s, so what it would have git run is not known. Mend it (git config --list), or use "approve_all".`
  })

/** `scope NUL key LF value NUL`; a key without a value has no LF. */
const entriesIn = (output: string): ReadonlyArray<Entry> => {
  const fields = output.split("\0")
  return fields.flatMap((scope, index) => {
    const entry = fields[index + 1]
    if (index % 2 === 1 || entry === undefined) return []
    const end = entry.indexOf("\n")
    return [
      {
        key: end === -1 ? entry : entry.slice(0, end),
        value: end === -1 ? "true" : entry.slice(end + 1),
        isRepositorys: !ownScopes.has(scope)
      }
    ]
  })
}
