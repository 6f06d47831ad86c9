/**
 * Where the files of a request are, once every link in their paths is followed.
 *
 * The answer holds for the moment in which it is given: a link that is replaced before the agent acts is not seen again.
 */
import { Effect, FileSystem, Path } from "effect"
import { rulesOf } from "../domain/Permissions.ts"
import type { Permissions } from "../domain/Permissions.ts"
import type { RequestedAction } from "../domain/RequestedAction.ts"

export interface Placement {
  /** The request names its files, and all are below the session's directory. */
  readonly inside: boolean
  /** One of them decides what agents or git run on their own, such as a hook: an edit of it is more than an edit. */
  readonly protected: boolean
  /** A command that would not run in the session's directory, nor below it. */
  readonly elsewhere: boolean
  /** All of them were attached to a turn. */
  readonly attached: boolean
  /** Whether all of its files are below this path of a rule, and none that is edited is protected by a name below it. */
  readonly allBelow: (rulePath: string) => boolean
  /** Whether any of its files may be. */
  readonly anyBelow: (rulePath: string) => boolean
}

export interface Where {
  readonly cwd: string
  /** The directory in which each attached file has a directory of its own, with a name that can't be guessed. */
  readonly attachments: string
  readonly permissions: Permissions
}

/** Names that git, an agent or an editor reads settings and programs from. Compared in lower case. */
const protectedNames: ReadonlySet<string> = new Set([
  ".git",
  ".codex",
  ".claude",
  ".agents",
  ".gemini",
  ".opencode",
  ".mcp.json",
  ".acpxrc.json",
  "opencode.json",
  "opencode.jsonc",
  // Gemini CLI takes from it where its requests go, npx from which registry a program comes.
  ".env",
  ".npmrc",
  ".cursor",
  ".kiro",
  ".qwen",
  ".zed",
  ".vscode",
  ".idea",
  ".devcontainer",
  ".husky",
  ".envrc"
])

export const nowhere: Placement = {
  inside: false,
  protected: false,
  elsewhere: false,
  attached: false,
  allBelow: () => false,
  anyBelow: () => false
}

/** More files than this are not looked at, so they count as being anywhere. */
const maxPaths = 1_000

export const make = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path

  /** Of a file that does not exist yet: by its nearest directory that does. `null`: it can't be told. */
  const followed = Effect.fnUntraced(function* (file: string) {
    let existing = file
    const missing: Array<string> = []
    while (true) {
      const real = yield* Effect.option(fs.realPath(existing))
      if (real._tag === "Some") return path.join(real.value, ...missing)
      // A link whose target does not exist leads to where that would be made.
      const link = yield* Effect.option(fs.readLink(existing))
      if (link._tag === "Some") return null
      const parent = path.dirname(existing)
      if (parent === existing) return null
      missing.unshift(path.basename(existing))
      existing = parent
    }
  })

  /** `null`: it can't be told. */
  const resolved = Effect.fnUntraced(function* (cwd: string, name: string) {
    // Some agents take `~` for the home directory; a NUL ends a path early.
    if (name === "" || name.startsWith("~") || name.includes("\u0000")) return null
    const tidied = yield* followed(path.resolve(cwd, name))
    const steps = name.split(path.sep)
    if (!steps.includes("..")) return tidied
    // To the kernel `link/..` is above what the link leads to; a program that tidies the path first takes it for nothing.
    let place = yield* followed(path.isAbsolute(name) ? path.sep : path.resolve(cwd))
    for (const step of steps) {
      if (place === null) return null
      if (step === "..") place = path.dirname(place)
      else if (step !== "" && step !== ".") place = yield* followed(path.join(place, step))
    }
    return place === tidied ? tidied : null
  })

  /** The names between a directory and what is below it; `null`: it is not below. The directory itself has none. */
  const namesBelow = (directory: string, file: string): ReadonlyArray<string> | null => {
    const relative = path.relative(directory, file)
    if (relative === "") return []
    const names = relative.split(path.sep)
    return names[0] === ".." || path.isAbsolute(relative) ? null : names
  }

  const isProtected = (directory: string | null, file: string | null): boolean => {
    const names = file === null || directory === null ? null : namesBelow(directory, file)
    return names === null || names.some((name) => protectedNames.has(name.toLowerCase()))
  }

  return Effect.fnUntraced(function* (action: RequestedAction, { attachments, cwd, permissions }: Where) {
    const realCwd = yield* resolved(cwd, ".")
    if (action._tag === "Command") {
      const directories = yield* Effect.forEach(action.directories, (name) => resolved(cwd, name))
      const isHere = (directory: string | null) =>
        directory !== null && realCwd !== null && namesBelow(realCwd, directory) !== null
      return { ...nowhere, elsewhere: !directories.every(isHere) }
    }
    if ((action._tag !== "Read" && action._tag !== "Edit") || action.paths.length > maxPaths) return nowhere
    const files = yield* Effect.forEach(action.paths, (name) => resolved(cwd, name))
    const realAttachments = yield* resolved(attachments, ".")
    const ruleRoots = new Map<string, string | null>()
    for (const { match } of rulesOf(permissions)) {
      if (match.path !== undefined) ruleRoots.set(match.path, yield* resolved(cwd, match.path))
    }
    const areAll = (isSo: (file: string) => boolean) =>
      files.length > 0 && files.every((file) => file !== null && isSo(file))
    const isBelow = (directory: string | null | undefined) => (file: string) =>
      typeof directory === "string" && namesBelow(directory, file) !== null
    return {
      inside: areAll(isBelow(realCwd)),
      protected: files.some((file) => isProtected(realCwd, file)),
      elsewhere: false,
      attached: areAll((file) => realAttachments !== null && (namesBelow(realAttachments, file)?.length ?? 0) >= 2),
      allBelow: (rulePath) => {
        const root = ruleRoots.get(rulePath) ?? null
        return areAll((file) => isBelow(root)(file) && (action._tag === "Read" || !isProtected(root, file)))
      },
      // What can't be told may be there.
      anyBelow: (rulePath) =>
        files.length === 0 || files.some((file) => file === null || isBelow(ruleRoots.get(rulePath))(file))
    } satisfies Placement
  })
})
