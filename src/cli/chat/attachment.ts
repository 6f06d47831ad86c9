/** A file that a person attaches to the next turn. */
import { Effect } from "effect"
import { openAsBlob } from "node:fs"
import { CommandFailed } from "../failures.ts"

export const unreadable = (path: string, cause: unknown) => {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new CommandFailed({ code: "unreadable_file", problem: `${JSON.stringify(path)} can't be read: ${reason}.` })
}

/** Read when it is stored or sent, not before. */
export const contentOf = (path: string): Effect.Effect<Blob, CommandFailed> =>
  Effect.tryPromise({ try: () => openAsBlob(path), catch: (cause) => unreadable(path, cause) })
