/**
 * What a person starts from the dashboard: sessions, turns and forks. An app starts sessions of its own, within its bounds;
 * the admin those of any app, within that app's bounds, and the audit trail says that it was the admin.
 */
import { Effect, Schema, Semaphore } from "effect"
import { AppName } from "../../domain/Ids.ts"
import { words } from "../../domain/permissionTable.ts"
import { PermissionPolicy } from "../../domain/Permissions.ts"
import { InvalidRequest, UnknownAgent } from "../../domain/Refusal.ts"
import type { ProblemDetails } from "../../http/contract/Problem.ts"
import { AgentDirectory } from "../../services/AgentDirectory.ts"
import type { Diagnosis } from "../../services/AgentDirectory.ts"
import { Apps } from "../../services/Apps.ts"
import { Operator } from "../../services/Operator.ts"
import type { AgentHealth } from "../../services/Operator.ts"
import { Sessions } from "../../services/Sessions.ts"
import type { Caller } from "../../services/Sessions.ts"
import { Threads } from "../../services/Threads.ts"
import type * as Contract from "../contract.ts"
import type { Agents, Checked } from "../fleetContract.ts"
import { bodyOf, get, post, routes } from "./route.ts"
import { idOf } from "./sessionReads.ts"

const Text = Schema.NonEmptyString
const optional = Schema.optionalKey(Text)

const NewSession = Schema.Struct({
  app: optional,
  agent: Text,
  cwd: optional,
  permissions: PermissionPolicy,
  model: optional,
  mode: optional,
  effort: optional,
  thread_id: optional
})

const NewTurn = Schema.Struct({ prompt: Text })

const Resend = Schema.Struct({ turn_index: Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)) })

const Steer = Schema.Struct({ text: Text })

const NewFork = Schema.Struct({
  turn_index: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)))
})

const threadsPerPage = 30

const checksAreForAdmins = {
  code: "forbidden",
  status: 403,
  detail: "Only the admin can have an agent checked: it is started for it."
} as const satisfies ProblemDetails

const secondsOrNull = (millis: number | null) => (millis === null ? null : millis / 1000)

const agentDto = ({
  available,
  capabilities: { effort, mode, model, threads },
  circuit,
  hint,
  name,
  protocol,
  starts: { failed, lastFailure, p50Millis, p95Millis, succeeded },
  version
}: AgentHealth): Agents["agents"][number] => ({
  name,
  available,
  hint,
  protocol,
  version,
  circuit: circuit === null ? null : { until: circuit.until / 1000, reason: circuit.reason },
  starts: {
    succeeded,
    failed,
    p50: secondsOrNull(p50Millis),
    p95: secondsOrNull(p95Millis),
    last_failure: lastFailure === null ? null : { ...lastFailure, at: lastFailure.at / 1000 }
  },
  can: { effort, mode, model, threads }
})

const checkedDto = ({ handshake, hint, problem }: Diagnosis): Checked => {
  if (handshake === null) return { ok: true, problem: hint ?? "It is not installed.", seconds: null }
  if (!handshake.ok) return { ok: true, problem: handshake.message, seconds: null }
  return { ok: true, problem, seconds: handshake.millis / 1000 }
}

export const layer = routes(
  Effect.gen(function* () {
    const apps = yield* Apps
    const directory = yield* AgentDirectory
    const operator = yield* Operator
    const sessions = yield* Sessions
    const threads = yield* Threads
    const oneCheck = yield* Semaphore.make(1)

    const appsOf = (caller: Caller) =>
      caller._tag === "App"
        ? Effect.succeed([caller.app])
        : Effect.map(apps.list, (all) => all.filter(({ revokedAt }) => revokedAt === null).map(({ name }) => name))

    /** The app whose session it is, as a caller: for the list of threads, and for the bounds. */
    const ownerOf = Effect.fnUntraced(function* (caller: Caller, name: string | undefined) {
      if (caller._tag === "App") {
        if (name === undefined) return caller
        return yield* new InvalidRequest({ field: "app", problem: "is for the admin. Leave it out." })
      }
      const owner = (yield* appsOf(caller)).find((app) => app === name)
      if (owner !== undefined) return { _tag: "App", app: AppName.make(owner) } as const
      return yield* new InvalidRequest({ field: "app", problem: "must be the name of an app: the session is its." })
    })

    return [
      get(
        "/agents",
        Effect.fnUntraced(function* ({ caller }) {
          const agents = yield* operator.agents
          return {
            ok: true,
            default_agent: yield* Effect.orElseSucceed(directory.defaultName, () => null),
            agents: agents.map(agentDto),
            permissions: PermissionPolicy.literals.map((word) => ({ word, meaning: words[word].meaning })),
            apps: yield* appsOf(caller)
          } satisfies Agents
        })
      ),
      post(
        "/agents/:name/check",
        Effect.fnUntraced(function* ({ caller, params }) {
          if (caller._tag !== "Admin") return yield* Effect.fail(checksAreForAdmins)
          const name = params["name"] ?? ""
          const [found] = yield* oneCheck.withPermit(directory.diagnose(name))
          if (found === undefined) return yield* new UnknownAgent({ name })
          return checkedDto(found) satisfies Checked
        })
      ),
      get(
        "/agents/:name/threads",
        Effect.fnUntraced(function* ({ caller, params, query }) {
          const owner = yield* ownerOf(caller, query.get("app") ?? undefined)
          const page = yield* threads.list(owner, params["name"] ?? "", {
            cwd: query.get("cwd"),
            cursor: query.get("cursor"),
            limit: threadsPerPage
          })
          return {
            ok: true,
            threads: page.threads.map(({ updatedAt, ...thread }) => ({
              ...thread,
              updated_at: updatedAt === null ? null : updatedAt / 1000
            })),
            next_cursor: page.next
          } satisfies Contract.Threads
        }),
        { query: ["app", "cwd", "cursor"] }
      ),
      post(
        "/sessions",
        Effect.fnUntraced(function* ({ caller, request }) {
          const { app, thread_id, ...session } = yield* bodyOf(request, NewSession)
          const owner = yield* ownerOf(caller, app)
          const { id } = yield* sessions.create(owner.app, { ...session, threadId: thread_id }, undefined, caller)
          return { ok: true, session_id: id } satisfies Contract.Opened
        }),
        { takesBody: true }
      ),
      post(
        "/sessions/:id/turn",
        Effect.fnUntraced(function* (context) {
          const { prompt } = yield* bodyOf(context.request, NewTurn)
          const { index } = yield* sessions.submit(context.caller, idOf(context), { prompt, queue: true })
          return { ok: true, note: `Turn ${index} is accepted.` } satisfies Contract.Done
        }),
        { takesBody: true }
      ),
      post(
        "/sessions/:id/resend",
        Effect.fnUntraced(function* (context) {
          const { turn_index } = yield* bodyOf(context.request, Resend)
          const { index, isKnown } = yield* sessions.resend(context.caller, idOf(context), turn_index)
          const note = isKnown ? "was sent again before, as" : "is sent again, as"
          return { ok: true, note: `Turn ${turn_index} ${note} turn ${index}.` } satisfies Contract.Done
        }),
        { takesBody: true }
      ),
      post(
        "/sessions/:id/steer",
        Effect.fnUntraced(function* (context) {
          const { text } = yield* bodyOf(context.request, Steer)
          yield* sessions.steer(context.caller, idOf(context), text)
          return { ok: true, note: "The agent has it." } satisfies Contract.Done
        }),
        { takesBody: true }
      ),
      post(
        "/sessions/:id/compact",
        Effect.fnUntraced(function* (context) {
          const { index } = yield* sessions.compact(context.caller, idOf(context))
          return { ok: true, note: `Turn ${index} makes room in the agent's context.` } satisfies Contract.Done
        })
      ),
      post(
        "/sessions/:id/fork",
        Effect.fnUntraced(function* (context) {
          const { turn_index } = yield* bodyOf(context.request, NewFork)
          const { id } = yield* sessions.fork(context.caller, idOf(context), { turnIndex: turn_index })
          return { ok: true, session_id: id } satisfies Contract.Opened
        }),
        { takesBody: true }
      )
    ]
  })
)
