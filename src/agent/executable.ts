/** Finds a program as the kernel will: along the PATH of the child, not ours. Starts nothing. */
import { accessSync, constants, statSync } from "node:fs"
import { delimiter, isAbsolute, join, resolve } from "node:path"

/** The file that `command` names, or `null`. A name with a slash is a path relative to `cwd`. */
export const find = (command: string, path: string | undefined, cwd: string = process.cwd()): string | null => {
  if (command.includes("/")) return runnable(resolve(cwd, command))
  for (const directory of (path ?? "").split(delimiter)) {
    // To POSIX an empty or relative entry means the current directory, which is never meant in a server.
    if (!isAbsolute(directory)) continue
    const file = runnable(join(directory, command))
    if (file !== null) return file
  }
  return null
}

const runnable = (file: string): string | null => {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile() ? file : null
  } catch {
    return null
  }
}
