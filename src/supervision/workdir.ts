/**
 * The directory of a session whose agent is about to start. Where it did not come along to the node that has the session
 * now, that is said: one of Troupe's own begins anew and empty, and one that an app named is the app's to bring.
 */
import { Effect, FileSystem } from "effect"
import { AgentFailed } from "../agent/Agent.ts"
import type { SessionRecord } from "../domain/Session.ts"
import { ThisNode } from "../runtime/ThisNode.ts"

export const make = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const { isAlone, name } = yield* ThisNode

  /** `true`: it was lost, and is there again, empty. `generation`: the number of the session's process that it is for. */
  return Effect.fnUntraced(function* ({ cwd, ownsCwd, setup }: SessionRecord, generation: number) {
    const isThere = yield* fs.stat(cwd).pipe(
      Effect.map(({ type }) => type === "Directory"),
      Effect.orElseSucceed(() => false)
    )
    // On one machine nothing has to come along: who starts the agent says what is missing.
    if (isThere || isAlone) return false
    if (!ownsCwd) {
      const message = `The session's directory ${JSON.stringify(cwd)} is not on node ${name}, which has the session now. Have it at the same path on every node (a shared file system), or make a new session with a directory that is.`
      return yield* new AgentFailed({ class: "config", message })
    }
    yield* fs.makeDirectory(cwd, { recursive: true, mode: 0o700 }).pipe(
      Effect.mapError(({ message: reason }) => {
        const message = `The session's directory ${JSON.stringify(cwd)} did not come along to node ${name}, which has the session now, and can't be made there: ${reason}. Give every node its data dir at the same path (TROUPE_DATA_DIR).`
        return new AgentFailed({ class: "config", message })
      })
    )
    // The node that made the session makes its directory, and another may get its first turn: then nothing was in it.
    return generation > 1 || setup.fork !== undefined
  })
})
