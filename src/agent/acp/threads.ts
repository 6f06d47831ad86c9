/**
 * Lists the conversations that an ACP agent has (`session/list`), with a process of its own that opens none of them.
 *
 * An agent decides how many it gives at once. What is over the limit is given with the next page: `next` holds the agent's
 * cursor and how many of its page were given already.
 */
import { Clock, Effect } from "effect"
import { homedir } from "node:os"
import { at, countIn, listIn, nonEmptyTextIn, objectIn } from "../../domain/json.ts"
import { startMillisOf } from "../../domain/Settings.ts"
import { AgentFailed } from "../Agent.ts"
import type { AgentDriver, DriverConfig, OpenRequest } from "../Agent.ts"
import type { ThreadPage, ThreadQuery, ThreadSummary } from "../threadList.ts"
import * as JsonRpc from "../JsonRpc.ts"
import type { Processes } from "../Processes.ts"
import { secretsIn } from "../redact.ts"
import { RpcError } from "../RpcError.ts"
import * as AgentSettings from "./agentSettings.ts"
import * as Failures from "./failures.ts"
import * as Handshake from "./handshake.ts"
import * as KnownAgents from "./knownAgents.ts"
import * as Request from "./request.ts"
import type { AcpSpec } from "./spec.ts"

const listWithinMillis = 30_000

export const make = (
  processes: Processes["Service"],
  config: DriverConfig,
  spec: AcpSpec
): NonNullable<AgentDriver["threads"]> =>
  Effect.fn("Acp.threads")((request, query) => list(processes, config, spec, request, query))

const list = Effect.fnUntraced(function* (
  processes: Processes["Service"],
  config: DriverConfig,
  spec: AcpSpec,
  { lease, spawned }: Pick<OpenRequest, "lease" | "session" | "spawned">,
  query: ThreadQuery
) {
  const { command, env, name } = config
  // Never the directory that is asked for: it need not exist any more, and what `npx` finds in it is not the operator's.
  const cwd = env["HOME"] ?? homedir()
  const asNobodysSession = { permissions: "deny", questions: false } as const
  const childEnv = { ...env, ...AgentSettings.environment(KnownAgents.ofCommand(command, spec), asNobodysSession, env) }
  const secrets = secretsIn(config)
  const child = yield* processes.spawn({ lease, command, cwd, env: childEnv, secrets, stdin: true, spawned })
  const peer = yield* JsonRpc.make(child, {
    versioned: true,
    onNotification: () => Effect.void,
    onRequest: (method) => Effect.fail(new RpcError({ code: Failures.methodNotFound, message: method }))
  })
  yield* Effect.forkScoped(Effect.ignore(peer.ended))
  const send = Request.make(peer, () => {})
  const startedAt = yield* Clock.currentTimeMillis
  let identity = Failures.identify(name)

  return yield* Effect.gen(function* () {
    const announced = Handshake.read(yield* send("initialize", Handshake.params(false), startMillisOf(spec) ?? 0))
    identity = Failures.identify(announced.name ?? name)
    if (!announced.list) {
      const message = `${identity.name} can't list its conversations: it announces no session/list.`
      return yield* new AgentFailed({ class: "config", message })
    }
    const { cursor, given } = positionIn(query.cursor)
    const params = { ...(query.cwd === null ? {} : { cwd: query.cwd }), ...(cursor === null ? {} : { cursor }) }
    return pageOf(yield* send("session/list", params, listWithinMillis), query.limit, cursor, given)
  }).pipe(
    Effect.catchTags({
      RpcError: (error) => new AgentFailed(Failures.ofError(identity, "session/list", error)),
      RpcSilent: (silent) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => Request.failSilent(child, identity, silent, now - startedAt))
    })
  )
})

const pageOf = (result: unknown, limit: number, cursor: string | null, given: number): ThreadPage => {
  const all = listIn(at(result, "sessions"))
    .flatMap(summaryOf)
    .sort((a, b) => (b.updatedAt ?? 0) - (a.updatedAt ?? 0))
  const threads = all.slice(given, given + limit)
  const nextCursor = nonEmptyTextIn(at(result, "nextCursor"))
  const isMore = all.length > given + limit
  const next = isMore ? position(cursor, given + limit) : nextCursor === null ? null : position(nextCursor, 0)
  return { threads, next }
}

const summaryOf = (session: unknown): ReadonlyArray<ThreadSummary> => {
  const { cwd, sessionId, title, updatedAt } = objectIn(session)
  const id = nonEmptyTextIn(sessionId)
  const millis = Date.parse(nonEmptyTextIn(updatedAt) ?? "")
  return id === null
    ? []
    : [
        {
          id,
          cwd: nonEmptyTextIn(cwd),
          title: nonEmptyTextIn(title),
          updatedAt: Number.isNaN(millis) ? null : millis
        }
      ]
}

const position = (cursor: string | null, given: number): string =>
  Buffer.from(JSON.stringify({ cursor, given })).toString("base64url")

/** Of anything that is no position of ours: the beginning. */
const positionIn = (next: string | null): { readonly cursor: string | null; readonly given: number } => {
  if (next === null) return { cursor: null, given: 0 }
  try {
    const { cursor, given } = objectIn(JSON.parse(Buffer.from(next, "base64url").toString("utf8")))
    return { cursor: nonEmptyTextIn(cursor), given: countIn(given) }
  } catch {
    return { cursor: null, given: 0 }
  }
}
