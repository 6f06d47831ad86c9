/**
 * `troupe top`: the dashboard's table in the terminal, live, with the session under the cursor below it. Over HTTP, with a
 * token. Without a terminal it prints the table once.
 */
import { Deferred, Effect, Option, Redacted } from "effect"
import { Command, Flag } from "effect/cli"
import { SessionState } from "../../domain/Session.ts"
import { createApi, problemFrom } from "../../inspect/client/api.ts"
import type { Api, Problem, SessionFilter } from "../../inspect/client/api.ts"
import { age, count, countdown } from "../../inspect/client/format.ts"
import { noFilter } from "../../inspect/client/rows.ts"
import { BadUsage, CommandFailed } from "../failures.ts"
import { jsonFlag } from "../options.ts"
import { serverFlags } from "../server.ts"
import { oneLine, paint, print, printJson, table } from "../terminal.ts"
import { press } from "../top/keys.ts"
import { render } from "../top/render.ts"
import * as Screen from "../top/Screen.ts"
import { makeTop } from "../top/Top.ts"
import { waitOf } from "../top/words.ts"

const printedRows = 100

export const topCommand = Command.make(
  "top",
  {
    ...serverFlags,
    filter: Flag.String("filter").pipe(
      Flag.withDescription("Only sessions in which the server finds this text"),
      Flag.withDefault("")
    ),
    state: Flag.Literals("state", SessionState.literals).pipe(
      Flag.withDescription("Only those in this state"),
      Flag.optional
    ),
    json: jsonFlag
  },
  Effect.fn(function* ({ filter: q, json, state, token, url }) {
    if (Option.isNone(token))
      return yield* new BadUsage({ problem: "No token was given: set TROUPE_TOKEN, or add --token." })
    const send = withToken(token.value)
    if (!URL.canParse(url))
      return yield* new BadUsage({ problem: `--url is "${url}": it takes an address such as http://127.0.0.1:8420.` })
    const target = { url: url.replace(/\/$/, ""), send, filter: { ...noFilter, q, state: Option.getOrNull(state) } }
    const api = createApi(`${target.url}/inspect/api/`, send)
    // Reported before the screen is taken over: the server does not answer, or the token is not valid.
    yield* orFailed(target.url, () => api.me())
    if (json || process.stdout.isTTY !== true || process.stdin.isTTY !== true)
      return yield* printOnce(api, target.url, target.filter, json)
    yield* watch({ ...target, api })
  })
).pipe(
  Command.withDescription("Watch the sessions of a running server, live; without a terminal, print them once"),
  Command.withExamples([
    {
      command: "troupe top --url http://127.0.0.1:8420",
      description: "With a token in TROUPE_TOKEN; ? tells the keys"
    },
    { command: "troupe top --state turning --json", description: "What runs now, for a program" }
  ])
)

const withToken =
  (token: Redacted.Redacted<string>): typeof fetch =>
  (url, init) =>
    fetch(url, { ...init, headers: { ...(init?.headers as object), authorization: `Bearer ${Redacted.value(token)}` } })

const failed = (url: string, { detail, error, status }: Problem): CommandFailed =>
  status === 0
    ? new CommandFailed({
        code: "unreachable",
        problem: `No Troupe answers at ${url}. Start one with troupe serve, or name another with --url.`
      })
    : new CommandFailed({ code: error, problem: detail })

const orFailed = <A>(url: string, request: () => Promise<A>) =>
  Effect.tryPromise({ try: request, catch: (cause) => failed(url, problemFrom(cause)) })

const watch = (target: {
  readonly url: string
  readonly api: Api
  readonly send: typeof fetch
  readonly filter: SessionFilter
}) =>
  Effect.scoped(
    Effect.gen(function* () {
      const ended = yield* Deferred.make<void, CommandFailed>()
      const end = (how: Effect.Effect<void, CommandFailed>) => void Deferred.doneUnsafe(ended, how)
      let screen: Screen.Screen | undefined
      const top = makeTop({
        ...target,
        changed: () => screen?.changed(),
        ended: (problem) => end(problem === null ? Effect.void : Effect.fail(failed(target.url, problem)))
      })
      yield* Effect.addFinalizer(() => Effect.sync(top.stop))
      const opened = Screen.open({
        frame: (size) => render(top.model, { ...size, now: top.now() }),
        onKey: (key, size) => {
          press(top, key, size)
          opened.changed()
        },
        onGone: () => end(Effect.void),
        onFault: (cause) => end(Effect.die(cause))
      })
      screen = opened
      // Finalizers run in reverse, so the screen is restored before anything else is printed.
      yield* Effect.addFinalizer(() => Effect.sync(opened.close))
      yield* Deferred.await(ended)
    })
  )

const printOnce = Effect.fnUntraced(function* (api: Api, url: string, filter: SessionFilter, json: boolean) {
  const page = yield* orFailed(url, () => api.sessions(filter, printedRows))
  if (json) return yield* printJson(page)
  const { closed, idle, retiring, turning } = page.counts
  yield* print(`${idle} idle, ${turning} turning, ${retiring} retiring, ${closed} closed`)
  if (page.sessions.length === 0) return yield* print("No sessions.")
  const { now } = yield* orFailed(url, () => api.me())
  const rows = page.sessions.map((row) => [
    row.session_id,
    row.substate,
    oneLine(row.agent),
    oneLine(row.app),
    age(now - row.created_at),
    count(row.turns),
    count(row.restarts),
    count(row.total_tokens),
    row.wait?.next == null ? "" : countdown(row.wait.next.at - now),
    oneLine(waitOf(row))
  ])
  const head = ["SESSION", "STATE", "AGENT", "APP", "AGE", "TURNS", "RESTARTS", "TOKENS", "NEXT", "WAITS FOR"]
  yield* print(table([head, ...rows]))
  const rest = page.count - page.sessions.length
  if (rest > 0) yield* print(paint("dim", `… and ${rest} more; --filter and --state find them`))
})
