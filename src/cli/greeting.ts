/** The greeting of a server whose port is open: its address, its tokens, and a first request to paste. */
import { Effect, Redacted } from "effect"
import { existsSync, rmSync } from "node:fs"
import { join } from "node:path"
import { newAppToken } from "../domain/Ids.ts"
import { Apps } from "../services/Apps.ts"
import { AgentDirectory } from "../services/AgentDirectory.ts"
import * as DataDir from "../dataDir.ts"
import { Access } from "../inspect/Inspect.ts"
import { paint, print } from "./terminal.ts"

/** The app that the first start creates. */
const firstApp = "default"

export interface ServerGreeting {
  /** Such as `http://127.0.0.1:8420`. */
  readonly url: string
  readonly dataDir: string
  readonly version: string
  readonly isTerminal: boolean
  /** Background reviews are on. */
  readonly reviews: boolean
  /** Where the admin token is found, in words. */
  readonly adminToken: string
}

export const greet = Effect.fn("greet")(function* (greeting: ServerGreeting) {
  const { adminToken, dataDir, isTerminal, reviews, url, version } = greeting
  const directory = yield* AgentDirectory
  const agents = yield* directory.list
  const missing = yield* directory.missing
  const available = agents.filter(({ available }) => available).map(({ name }) => name)
  const { note, secret } = yield* tokenNotes(dataDir, isTerminal)
  const line = (name: string, text: string) => print(`  ${paint("dim", name.padEnd(8))} ${text}`)

  yield* print(`Troupe ${version} listens on ${paint("bold", url)}`)
  yield* line("agents", `${available.join(", ")} ${paint("dim", "(troupe doctor says more)")}`)
  for (const { hint, isDefault, name } of missing) {
    yield* line("missing", `${paint("yellow", name)}${isDefault ? ", the default agent" : ""}: ${hint}`)
  }
  yield* line("data", dataDir)
  yield* line("docs", `${url}/docs`)
  yield* line("reviews", reviews ? reviewsOn : `off ${paint("dim", reviewsOff)}`)
  yield* line("inspect", yield* dashboard(url, isTerminal, adminToken))
  yield* line("token", note)
  yield* print()
  // The turns of a session whose agent is missing fail.
  const body = missing.some(({ isDefault }) => isDefault) ? '{"agent":"demo"}' : "{}"
  yield* print(
    `  curl -s ${url}/sessions -H "authorization: Bearer ${secret}" -H 'content-type: application/json' -d '${body}'`
  )
  yield* print()
})

const reviewsOn = "on: they call a model in the background (TROUPE_REVIEWS=false turns them off)"
const reviewsOff = "(TROUPE_REVIEWS=true has a model learn from conversations, on your account)"

/** The link logs the admin in once, so it is a secret: without a terminal, which may be a log, only the address is printed. */
const dashboard = Effect.fnUntraced(function* (url: string, isTerminal: boolean, adminToken: string) {
  const page = `${url}/inspect/`
  if (!isTerminal) return `${page} (log in with a token; the admin's is ${adminToken})`
  const { code } = yield* Effect.flatMap(Access, ({ issueCode }) => issueCode)
  return `${page}#code=${Redacted.value(code)} ${paint("dim", "(logs in once, within 15 minutes)")}`
})

/** `secret` is the token as a shell takes it: the token itself on a terminal, else an expression that reads it. */
const tokenNotes = Effect.fnUntraced(function* (dataDir: string, isTerminal: boolean) {
  const apps = yield* Apps
  const file = join(dataDir, DataDir.appTokenFile)
  if ((yield* apps.list).length > 0) {
    return existsSync(file) ? { note: file, secret: `$(cat ${shellQuoted(file)})` } : ofAnApp
  }
  if (isTerminal) {
    return yield* apps.mint(firstApp).pipe(
      Effect.map(({ name, token }) => {
        const secret = Redacted.value(token)
        return { note: `${secret} ${paint("dim", `(the app ${name}; shown this once)`)}`, secret }
      }),
      Effect.catchTag("AppExists", () => Effect.succeed(ofAnApp))
    )
  }
  // The output may be a log, which must not have a secret. Kept before there is the app: were this process killed between
  // the two, nobody would have the token of an app that is there, and the next start would make no other.
  const token = newAppToken()
  yield* DataDir.keepSecret({ path: dataDir, ledger: "" }, DataDir.appTokenFile, token)
  return yield* apps.mint(firstApp, { token }).pipe(
    Effect.map(({ name }) => ({ note: `${file} (the app ${name})`, secret: `$(cat ${shellQuoted(file)})` })),
    // Another node of the same database was quicker: what was kept here is no app's.
    Effect.catchTag("AppExists", () => Effect.sync(() => (rmSync(file, { force: true }), ofAnApp)))
  )
})

const ofAnApp = { note: "of an app: troupe app create NAME makes one", secret: "$TROUPE_TOKEN" }

const shellQuoted = (path: string): string =>
  /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`
