/** What a server says when its port is open: where it is, how to come in, and a first request to paste. */
import { Effect, Redacted } from "effect"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { Apps } from "../services/Apps.ts"
import { AgentDirectory } from "../services/AgentDirectory.ts"
import * as DataDir from "../dataDir.ts"
import { Access } from "../inspect/Inspect.ts"
import { paint, print } from "./terminal.ts"

/** The app that a newcomer gets without asking. */
const firstApp = "default"
const tokenFile = "app-token"

export interface Where {
  /** Such as `http://127.0.0.1:8420`. */
  readonly url: string
  readonly dataDir: string
  readonly version: string
  readonly isTerminal: boolean
  /** Where the admin's token is to be found, in words. */
  readonly adminToken: string
}

export const greet = Effect.fn("greet")(function* ({ adminToken, dataDir, isTerminal, url, version }: Where) {
  const agents = yield* Effect.flatMap(AgentDirectory, ({ list }) => list)
  const there = agents.filter(({ available }) => available).map(({ name }) => name)
  const { note, secret } = yield* wayIn(dataDir, isTerminal)
  const line = (name: string, text: string) => print(`  ${paint("dim", name.padEnd(8))} ${text}`)

  yield* print(`Troupe ${version} listens on ${paint("bold", url)}`)
  yield* line("agents", `${there.join(", ")} ${paint("dim", "(troupe doctor says more)")}`)
  yield* line("data", dataDir)
  yield* line("docs", `${url}/docs`)
  yield* line("inspect", yield* dashboard(url, isTerminal, adminToken))
  yield* line("token", note)
  yield* print()
  yield* print(
    `  curl -s ${url}/sessions -H "authorization: Bearer ${secret}" -H 'content-type: application/json' -d '{}'`
  )
  yield* print()
})

/** The link logs the admin in once, so it is a secret: a log gets the address only. */
const dashboard = Effect.fnUntraced(function* (url: string, isTerminal: boolean, adminToken: string) {
  const page = `${url}/inspect/`
  if (!isTerminal) return `${page} (log in with a token; the admin's is ${adminToken})`
  const code = yield* Effect.flatMap(Access, ({ issueCode }) => issueCode)
  return `${page}#code=${Redacted.value(code)} ${paint("dim", "(logs in once, within 15 minutes)")}`
})

/** `secret` is what a shell puts in place of the token: itself while it may be shown, else where it is to be read. */
const wayIn = Effect.fnUntraced(function* (dataDir: string, isTerminal: boolean) {
  const apps = yield* Apps
  const kept = join(dataDir, tokenFile)
  if ((yield* apps.list).length > 0) {
    return existsSync(kept)
      ? { note: kept, secret: `$(cat ${shellQuoted(kept)})` }
      : { note: "of an app: troupe app create NAME makes one", secret: "$TROUPE_TOKEN" }
  }
  const { name, token } = yield* apps.mint(firstApp)
  if (isTerminal) {
    const shown = Redacted.value(token)
    return { note: `${shown} ${paint("dim", `(the app ${name}; shown this once)`)}`, secret: shown }
  }
  // A log is no place for a secret.
  const file = yield* DataDir.keepSecret({ path: dataDir, ledger: "" }, tokenFile, token)
  return { note: `${file} (the app ${name})`, secret: `$(cat ${shellQuoted(file)})` }
})

const shellQuoted = (path: string): string =>
  /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`
