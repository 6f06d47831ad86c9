/** What the start of a process binds, as the key of a spare, and what may change after that. */
import { Effect } from "effect"
import { createHash } from "node:crypto"
import { statSync } from "node:fs"
import type { SpareSpec } from "./Agent.ts"
import * as GitConfig from "./gitConfig.ts"
import * as Launch from "./Launch.ts"
import type { Processes } from "./Processes.ts"
import { ofSpare } from "./Started.ts"

/** As a hash: an environment has secrets, and a key is not kept like one. */
export const of = (bound: object): string => createHash("sha256").update(JSON.stringify(bound)).digest("hex")

/** The program, and what it interprets: an upgrade replaces them. Other words may name files that the agent writes. */
export const programsOf = (command: Launch.Command): ReadonlyArray<string> =>
  [...new Set([command[0], Launch.programOf(command)])].filter((file) => file !== null)

/** As these files are now. A file that is replaced, or written to, is another one. */
export const stateOf = (files: ReadonlyArray<string>): string => files.map((file) => stateOfFile(file)).join(" ")

const stateOfFile = (file: string): string => {
  try {
    const { ctimeNs, dev, ino, size } = statSync(file, { bigint: true })
    return `${dev}:${ino}:${size}:${ctimeNs}`
  } catch {
    return "none"
  }
}

/** Where a repository is around the session, it must not name what git would run (`gitConfig.ts`): the spare's git would. */
export const serves =
  (processes: Processes["Service"], own: Readonly<Record<string, string>>): SpareSpec["serves"] =>
  (spare, { cwd, permissions }) => {
    const { env, lease } = ofSpare(spare)
    if (permissions === "approve_all" || GitConfig.isOutside(cwd, own)) return Effect.succeed(true)
    return Effect.map(GitConfig.environment(processes, { cwd, lease, permissions }, own, []), (git) =>
      Object.entries(git).every(([name, value]) => env[name] === value)
    )
  }
