/**
 * `troupe top`: the dashboard's table in the terminal, live, with the session under the cursor below it. Over HTTP, with a
 * token. Without a terminal it prints the table once.
 */
import { Deferred, Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { cut } from "../../domain/cut.ts"
import { SessionState } from "../../domain/Session.ts"
import { createApi } from "../../inspect/client/api.ts"
import type { Api, SessionFilter } from "../../inspect/client/api.ts"
import { age, count, countdown } from "../../inspect/client/format.ts"
import { noFilter, outcomes, sorts } from "../../inspect/client/rows.ts"
import type { CommandFailed } from "../failures.ts"
import { jsonFlag } from "../options.ts"
import { asked, findServer, notTroupe, problemFailed, serverFlags, withToken } from "../server.ts"
import { note, oneLine, print, printJson, table } from "../terminal.ts"
import { press } from "../top/keys.ts"
import { render } from "../top/render.ts"
import * as Screen from "../top/Screen.ts"
import { makeTop } from "../top/Top.ts"
import { waitOf } from "../top/words.ts"

const printedRows = 100
const longestName = 40

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
    substate: Flag.String("substate").pipe(
      Flag.withDescription("Only those in this part of a state, such as turning.asking or idle.parked"),
      Flag.optional
    ),
    outcome: Flag.Literals("outcome", outcomes).pipe(
      Flag.withDescription("Only those whose last turn ended so"),
      Flag.optional
    ),
    meta: Flag.String("meta").pipe(
      Flag.withDescription("Only those whose metadata has this value, as in team=red"),
      Flag.optional
    ),
    sort: Flag.Literals("sort", sorts).pipe(
      Flag.withDescription(
        "The last active first, or the newest, longest in its state, last ended, dearest, most turns"
      ),
      Flag.withDefault("activity")
    ),
    order: Flag.Literals("order", ["desc", "asc"]).pipe(
      Flag.withDescription("asc: the other way around"),
      Flag.withDefault("desc")
    ),
    json: jsonFlag
  },
  Effect.fn(function* ({ filter: q, json, meta, order, outcome, sort, state, substate, ...flags }) {
    const { token, url } = yield* findServer(flags)
    const send = withToken(token)
    const target = { url, send, filter: filterOf({ q, state, substate, outcome, meta, sort, order }) }
    const api = createApi(`${target.url}/inspect/api/`, send)
    // Reported before the screen is taken over: the server does not answer, or the token is not valid.
    const me = yield* asked(target.url, () => api.me())
    if (typeof me.version !== "string") return yield* notTroupe(url, "its answer has another form")
    if (json || process.stdout.isTTY !== true || process.stdin.isTTY !== true)
      return yield* printOnce(api, target.url, target.filter, json)
    yield* watch({ ...target, api })
  })
).pipe(
  Command.withDescription("Watch the sessions of a running server, live; without a terminal, print them once"),
  Command.withExamples([
    {
      command: "troupe top",
      description: "Of the server that runs on the data dir; ? tells the keys"
    },
    {
      command: "troupe top --url http://10.0.0.5:8420",
      description: "Of another, with a token in TROUPE_TOKEN"
    },
    { command: "troupe top --state turning --json", description: "What runs now, for a program" },
    { command: "troupe top --substate idle.parked --sort state", description: "What is parked, the longest first" }
  ])
)

type Nullable = "meta" | "outcome" | "state" | "substate"

const filterOf = ({
  meta,
  order,
  outcome,
  q,
  sort,
  state,
  substate
}: Pick<SessionFilter, "order" | "q" | "sort"> & {
  readonly [K in Nullable]: Option.Option<NonNullable<SessionFilter[K]>>
}): SessionFilter => ({
  ...noFilter,
  q,
  sort,
  order,
  meta: Option.getOrNull(meta),
  outcome: Option.getOrNull(outcome),
  state: Option.getOrNull(state),
  substate: Option.getOrNull(substate)
})

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
        ended: (problem) => end(problem === null ? Effect.void : Effect.fail(problemFailed(target.url, problem)))
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
  const page = yield* asked(url, () => api.sessions(filter, printedRows))
  if (json) return yield* printJson(page)
  const { closed, idle, retiring, turning } = page.counts
  yield* print(`${idle} idle, ${turning} turning, ${retiring} retiring, ${closed} closed`)
  if (page.sessions.length === 0) return yield* note("No sessions.")
  const { now } = yield* asked(url, () => api.me())
  const rows = page.sessions.map((row) => [
    row.session_id,
    row.substate,
    oneLine(row.agent),
    oneLine(row.app),
    row.name === row.session_id ? "" : cut(oneLine(row.name), longestName),
    age(now - row.created_at),
    count(row.turns),
    count(row.restarts),
    count(row.total_tokens),
    row.wait?.next == null ? "" : countdown(row.wait.next.at - now),
    oneLine(waitOf(row, now))
  ])
  const head = ["SESSION", "STATE", "AGENT", "APP", "NAME", "AGE", "TURNS", "RESTARTS", "TOKENS", "NEXT", "WAITS FOR"]
  yield* print(table([head, ...rows]))
  const rest = page.count - page.sessions.length
  if (rest > 0) yield* note(`… and ${rest} more; --filter and the like find them`)
})
