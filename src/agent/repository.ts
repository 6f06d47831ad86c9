/**
 * The repository around a session's directory, as far as an agent takes settings or instructions from it.
 *
 * It may be a stranger's, such as one whose pull request is reviewed. So its settings count only below a directory that
 * the operator trusts (`trustedRoots`), and its instructions are text for the model.
 */
import { closeSync, openSync, readdirSync, readSync, realpathSync, statSync } from "node:fs"
import { dirname, join, relative, resolve, sep } from "node:path"

/** From the directory upwards to the file system's root, as the path is given. */
export const ancestors = (path: string): ReadonlyArray<string> => {
  const directories: Array<string> = []
  for (let directory = resolve(path); ; directory = dirname(directory)) {
    directories.push(directory)
    if (directory === dirname(directory)) return directories
  }
}

/** From the directory upwards to the root of its git repository. Without a repository: the directory alone. */
const repositoryOf = (cwd: string): ReadonlyArray<string> => {
  const directories = ancestors(realOf(cwd) ?? cwd)
  const root = directories.findIndex((directory) => isThere(join(directory, ".git")))
  return directories.slice(0, root + 1 || 1)
}

/** The session's directory is one of these, or below one, links resolved. */
export const isTrusted = (cwd: string, trustedRoots: ReadonlyArray<string> = []): boolean => {
  const directory = realOf(cwd)
  return directory !== null && trustedRoots.some((root) => isBelow(directory, realOf(root)))
}

/**
 * The first of these names that is in the repository. `own`: directories with such a name that are the operator's, which
 * lie around a session in the home directory. `anywhere`: also above the repository, for agents that look there.
 */
export const settingsAround = (
  cwd: string,
  names: ReadonlyArray<string>,
  own: ReadonlyArray<string | undefined>,
  { anywhere = false }: { readonly anywhere?: boolean } = {}
): string | null => {
  const ownPaths = new Set(own.map((path) => (path === undefined ? null : realOf(path))))
  for (const directory of anywhere ? ancestors(realOf(cwd) ?? cwd) : repositoryOf(cwd)) {
    const path = names.map((name) => join(directory, name)).find((path) => isThere(path) && !ownPaths.has(realOf(path)))
    if (path !== undefined) return path
  }
  return null
}

/** All instructions of a repository together; what is nearest to the session's directory is kept. */
const maxInstructionBytes = 32 * 1024

/**
 * The repository's instructions in files of these names, the outermost first, as text for a system prompt; `null`: there
 * are none. Links that lead out of the repository are not followed, nor are imports (`@file`) in the text.
 */
export const instructionsAround = (cwd: string, names: ReadonlyArray<string>): string | null => {
  const directories = repositoryOf(cwd)
  const parts: Array<string> = []
  let budget = maxInstructionBytes
  for (const directory of directories) {
    for (const name of names.toReversed()) {
      const path = join(directory, name)
      const text = budget > 0 ? textOf(path, directories.at(-1) ?? directory, budget) : null
      if (text === null || text.trim() === "") continue
      const isCut = Buffer.byteLength(text) >= budget
      budget -= Buffer.byteLength(text)
      parts.push(`Contents of ${path}:\n\n${text.trim()}${isCut ? "\n\n(cut here; read the file for the rest)" : ""}`)
    }
  }
  if (parts.length === 0) return null
  return `Instructions of this repository. Files that they import with @ are not included; read them where they matter.\n\n${parts.toReversed().join("\n\n")}`
}

/** At most so many bytes of a file that is in the repository itself. */
const textOf = (path: string, root: string, maxBytes: number): string | null => {
  try {
    const real = realpathSync(path)
    // A pipe would never end.
    if (!isBelow(real, realOf(root)) || !statSync(real).isFile()) return null
    const file = openSync(real, "r")
    try {
      const bytes = Buffer.alloc(maxBytes)
      const length = readSync(file, bytes, 0, maxBytes, 0)
      // A character that is cut in two is left out.
      return new TextDecoder().decode(bytes.subarray(0, length), { stream: true })
    } finally {
      closeSync(file)
    }
  } catch {
    return null
  }
}

/** An empty directory says nothing: codex's sandbox leaves empty `.git` and `.codex` behind where it mounted over them. */
const isThere = (path: string): boolean => {
  try {
    return !statSync(path).isDirectory() || readdirSync(path).length > 0
  } catch {
    // Also where it can't be read: an agent could not read it either.
    return false
  }
}

const isBelow = (path: string, root: string | null): boolean => {
  if (root === null) return false
  const [first] = relative(root, path).split(sep)
  return first !== ".."
}

/** With all links followed; `null`: there is nothing. */
export const realOf = (path: string): string | null => {
  try {
    return realpathSync(path)
  } catch {
    return null
  }
}
