/**
 * Where the server of a data dir is found: it says so in a file there, `server.json`, which only its user can read, as all in
 * a data dir. Whoever can read it can also read the admin's token beside it.
 */
import { Clock, Effect, Option, Redacted } from "effect"
import { readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { adminTokenFile } from "../dataDir.ts"

export interface RunningServer {
  /** Such as `http://127.0.0.1:8420`. */
  readonly url: string
  readonly pid: number
}

const fileIn = (dataDir: string) => join(dataDir, "server.json")

/** Until the scope closes. A server works without it, so that it can't be written is a warning. */
export const announce = Effect.fnUntraced(function* (dataDir: string, url: string) {
  const since = new Date(yield* Clock.currentTimeMillis).toISOString()
  const file = fileIn(dataDir)
  const write = Effect.try({
    try: () => writeFileSync(file, `${JSON.stringify({ url, pid: process.pid, since })}\n`, { mode: 0o600 }),
    catch: (cause) => cause
  }).pipe(
    Effect.catch((cause) =>
      Effect.logWarning(`${file} can't be written: other commands find this server by --url only`, cause)
    )
  )
  yield* Effect.acquireRelease(write, () =>
    Effect.sync(() => {
      try {
        rmSync(file, { force: true })
      } catch {
        // What is left names a process that is dead.
      }
    })
  )
})

/** `null`: none runs, or on another machine. */
export const find = (dataDir: string): RunningServer | null => {
  try {
    const { pid, url }: Partial<RunningServer> = JSON.parse(readFileSync(fileIn(dataDir), "utf8"))
    if (typeof pid !== "number" || typeof url !== "string" || !URL.canParse(url)) return null
    // One that was killed has left its file, and its port may be another program's by now, which must not get the token.
    process.kill(pid, 0)
    return { pid, url }
  } catch {
    return null
  }
}

/** The token of the admin that the data dir has; none is made. */
export const storedAdminToken = (dataDir: string): Option.Option<Redacted.Redacted<string>> => {
  try {
    const token = readFileSync(join(dataDir, adminTokenFile), "utf8").trim()
    return token === "" ? Option.none() : Option.some(Redacted.make(token))
  } catch {
    return Option.none()
  }
}
