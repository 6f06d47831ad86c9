/** Temporary directories of agents, and where they are made. */
import { Effect } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { homedir, tmpdir } from "node:os"
import { isAbsolute, join } from "node:path"
import process from "node:process"
import { AgentFailed } from "./Agent.ts"
import { makeDirectory } from "./makeDirectory.ts"

/** `agent` and `gemini`: what an agent starts in, or is started with; `run` and `doctor`: what it works in. */
export type Purpose = "agent" | "gemini" | "run" | "doctor"

/** Made when the first is wanted. */
export interface Parents {
  readonly launch: () => string
  readonly work: () => string
}

export const plainParents: Parents = { launch: () => launchParent(), work: tmpdir }

const parentOf = ({ launch, work }: Parents, purpose: Purpose): string =>
  purpose === "agent" || purpose === "gemini" ? launch() : work()

/** Removed with the scope. */
export const temporaryIn = (parents: Parents, purpose: Purpose) =>
  Effect.acquireRelease(
    Effect.try({
      try: () => mkdtempSync(join(parentOf(parents, purpose), `troupe-${purpose}-`)),
      catch: (cause) =>
        new AgentFailed({
          class: "config",
          message: `Troupe could make no directory for the agent's process: ${cause instanceof Error ? cause.message : String(cause)}. Make room there, or give Troupe's user a directory that it may write to (HOME, TMPDIR).`
        })
    }),
    (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
  )

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
