/** Makes directories, with those above them. */
import { mkdirSync, statSync } from "node:fs"
import { dirname } from "node:path"

/**
 * Makes it and those above it where they are missing, readable by its owner only; `false`: it was there. Node's own `recursive`
 * never ends below a directory that says of itself that it is not there, as in /proc.
 */
export const makeDirectory = (path: string): boolean => {
  try {
    mkdirSync(path, { mode: 0o700 })
    return true
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === "ENOENT" && dirname(path) !== path
    if (!isMissing) return isThere(path, cause)
  }
  makeDirectory(dirname(path))
  try {
    mkdirSync(path, { mode: 0o700 })
    return true
  } catch (cause) {
    return isThere(path, cause)
  }
}

/** Another program may have made it meanwhile; and of a root that is read-only the error is another one. */
const isThere = (path: string, cause: unknown): false => {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return false
  throw cause
}
