/** Where temporary directories of agents are made. */
import { homedir, tmpdir } from "node:os"
import { isAbsolute, join } from "node:path"
import process from "node:process"
import { makeDirectory } from "./makeDirectory.ts"

/** `agent` and `gemini`: what an agent starts in, or is started with; `run` and `doctor`: what it works in. */
export type Purpose = "agent" | "gemini" | "run" | "doctor"

/** Made when the first is wanted. */
export interface Parents {
  readonly launch: () => string
  readonly work: () => string
}

export const plainParents: Parents = { launch: () => launchParent(), work: tmpdir }

export const parentOf = ({ launch, work }: Parents, purpose: Purpose): string =>
  purpose === "agent" || purpose === "gemini" ? launch() : work()

/**
 * The directory in which those are made that agents start in (`launchDirectory.ts`). What package managers look for in the
 * directories above must not be another user's, who may write to the system's temporary directory, nor a repository's, as
 * the data dir may be in one.
 */
export const launchParent = (): string => {
  const cache = process.env["XDG_CACHE_HOME"]
  const parent = join(cache !== undefined && isAbsolute(cache) ? cache : join(homedir(), ".cache"), "troupe")
  try {
    makeDirectory(parent)
    return parent
  } catch {
    // A user without a home, as a service may be.
    return tmpdir()
  }
}
