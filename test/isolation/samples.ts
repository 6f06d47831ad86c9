/**
 * A request for each route that its owner gets a 2xx for. Most follow from the OpenAPI document and from the values below;
 * a new route for which they do not suffice fails the sweep by its name until it has what it needs here.
 */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { turnId } from "../../src/doors/agents/ids.ts"
import { responseId } from "../../src/doors/responses/ids.ts"
import { schemasOf } from "../http/openApi.ts"
import type { Document } from "../http/openApi.ts"
import { adminToken } from "../inspect/harness.ts"
import type { RunningTroupe } from "../inspect/harness.ts"
import { api, at, stepsOf, until } from "../inspect/sessionApi.ts"
import type { Route } from "./routes.ts"

/** Where anybody is answered, by the routes' names. Any other route asks for a token. */
export const open: ReadonlySet<string> = new Set([
  "GET /healthz",
  "GET /readyz",
  "GET /openapi.json",
  "GET /docs",
  "POST /inspect/api/login",
  "POST /inspect/api/logout",
  "GET /inspect/*",
  "GET /"
])

/** Routes of the dashboard that an app's token is not enough for. */
const adminsOfDashboard: ReadonlySet<string> = new Set([
  "POST /inspect/api/sessions/:id/unpark",
  "GET /inspect/api/nodes",
  "POST /inspect/api/agents/:name/check",
  "POST /inspect/api/link"
])

/** What an app's token is not enough for. */
export const isAdmins = ({ name, path }: Route): boolean =>
  path.startsWith("/admin/") || path === "/metrics" || adminsOfDashboard.has(name)

/** The values of path parameters. */
export type Values = Readonly<Record<string, string>>

/** The `name` of a route is an agent's, or an app's. */
export const nameFor = ({ path }: Route): string => (/\/(agents|models|ag-ui)\//.test(path) ? "demo" : "spare")

const form = () => {
  const data = new FormData()
  data.append("file", new Blob(["of nobody"]), "a.txt")
  return data
}

const run = () => ({
  threadId: crypto.randomUUID(),
  runId: "one",
  messages: [{ id: "u", role: "user", content: "hello" }]
})

const message = (method: string, params: object) => ({ jsonrpc: "2.0", id: 1, method, params })

/** Where something is asked for in the query. A door's threads are another one's for each app (`test/doors/agui`). */
const queries: Readonly<Record<string, string>> = {
  "GET /inspect/api/live": "?on=steps",
  "DELETE /ag-ui": "?threadId=none",
  "DELETE /ag-ui/:name": "?threadId=none"
}

/** Bodies that the OpenAPI document does not give, or whose example has no meaning here. */
const bodies: Readonly<Record<string, () => unknown>> = {
  "POST /sessions": () => ({ agent: "demo" }),
  "POST /sessions/:id/fork": () => ({}),
  "POST /sessions/:id/turn": () => ({ prompt: "hello" }),
  "POST /run": () => ({ prompt: "hello" }),
  "POST /v1/responses": () => ({ model: "demo", input: "hello" }),
  "POST /v1/agents/sessions": () => ({ agent_id: "demo", environment: { type: "none" } }),
  "POST /v1/agents/sessions/:session_id/events": () => ({
    events: [
      {
        type: "agent.session.input.message",
        input: [{ role: "user", content: [{ type: "input_text", text: "hello" }] }]
      }
    ]
  }),
  "POST /ag-ui": run,
  "POST /ag-ui/:name": run,
  "* /acp": () => message("initialize", { protocolVersion: 1 }),
  "* /mcp": () => message("tools/list", {}),
  "POST /files": form,
  "POST /admin/apps": () => ({ name: `app-${crypto.randomUUID()}` }),
  "POST /admin/apps/:name/bounds": () => ({}),
  "POST /inspect/api/login": () => ({ token: adminToken }),
  "POST /inspect/api/sessions": () => ({ agent: "demo", permissions: "deny" }),
  "POST /inspect/api/sessions/:id/turn": () => ({ prompt: "hello" }),
  "POST /inspect/api/sessions/:id/resend": () => ({ turn_index: 1 }),
  "POST /inspect/api/sessions/:id/steer": () => ({ text: "hello" }),
  "POST /inspect/api/sessions/:id/approvals/:approval": () => ({ decision: "once" })
}

export const paramsOf = ({ path }: Route): ReadonlyArray<string> =>
  [...path.matchAll(/:(\w+)/g)].map(([, name]) => name!)

/** The address with these parameters, and the body. */
export const requestOf = (route: Route, document: Document, values: Values) => {
  const path = route.path.replaceAll(/:(\w+)/g, (_, name: string) => {
    const value = values[name]
    assert(value !== undefined, `${route.name}: no value for the parameter ${name}. Give it one in samples.ts.`)
    return encodeURIComponent(value)
  })
  const given = bodies[route.name]?.()
  const operation = document.paths[route.path.replaceAll(/:(\w+)/g, "{$1}")]?.[route.method.toLowerCase()]
  const schema = operation?.requestBody?.content["application/json"]?.schema
  const body = given ?? (schema === undefined ? {} : schemasOf(document).valid(schema))
  return {
    path: `${path.replace("*", "")}${queries[route.name] ?? ""}`,
    // What takes any method has messages posted.
    method: route.method === "*" ? "POST" : route.method,
    headers: { accept: "application/json, text/event-stream" },
    ...(route.method === "GET" ? {} : { body })
  }
}

/** The session in which no turn may run for the route to be answered with 2xx. In any other one an approval waits. */
export const takesIdle: ReadonlySet<string> = new Set([
  "POST /sessions/:id/fork",
  "POST /sessions/:id/turn",
  "POST /sessions/:id/turn/stream",
  "POST /sessions/:id/compact",
  "DELETE /v1/responses/:response_id",
  "DELETE /v1/agents/sessions/:session_id",
  "POST /inspect/api/sessions/:id/turn",
  "POST /inspect/api/sessions/:id/resend",
  "POST /inspect/api/sessions/:id/compact",
  "POST /inspect/api/sessions/:id/fork"
])

/** Refusals that come after everything else was checked: the demo agent can't do it, or the page is not built here. */
export const expectedRefusals: Readonly<Record<string, string>> = {
  "POST /sessions/:id/compact": "not_supported",
  "POST /inspect/api/sessions/:id/compact": "not_supported",
  // Its turn has ended well: test/inspect/resend.test.ts has one that has not.
  "POST /inspect/api/sessions/:id/resend": "invalid_request",
  // One alone has nowhere to move it to: test/cluster/drain.test.ts moves some.
  "POST /admin/sessions/:id/move": "not_supported",
  "DELETE /ag-ui": "session_not_found",
  "DELETE /ag-ui/:name": "session_not_found",
  "GET /inspect/*": "page_not_built",
  "GET /docs": "page_not_built",
  // It leads browsers to the page.
  "GET /": "not_found"
}

export interface OwnedSession {
  readonly id: string
  /** The values of all parameters with which a route finds something of this session. */
  readonly values: Values
}

/** A session with a turn that has ended and, unless it is to be idle, one whose agent waits for a person. */
export const ownedSession = Effect.fnUntraced(function* (
  troupe: RunningTroupe,
  token: string,
  words: string,
  { isIdle = false } = {}
) {
  const id = yield* troupe.create(token, { permissions: "ask", meta: { note: words } })
  const turn = yield* troupe.turn(token, id, words)
  assert.strictEqual(turn.stop_reason, "end_turn", JSON.stringify(turn))
  let approval = "apr_none"
  if (!isIdle) {
    const body = { prompt: `ask-tool echo ${words}`, wait: false }
    yield* troupe.call(`/sessions/${id}/turn`, { token, body })
    const detail = yield* until(troupe, token, id, at("turning.asking"))
    approval = detail.approvals[0]!.approval_id
  }
  const withLine = (yield* stepsOf(troupe, token, id)).find(({ wire }) => wire)
  const values: Values = {
    id,
    response_id: responseId({ session: id, turn: 1 }),
    session_id: id,
    turn_id: turnId({ session: id, turn: 1 }),
    n: "1",
    seq: String(withLine?.seq ?? 1),
    approval,
    approval_id: approval
  }
  return { id, values } satisfies OwnedSession
})

/** What is stored of a session, and must not change by anything that another app does. */
export const storedOf = ({ call }: RunningTroupe, token: string, { id }: OwnedSession) =>
  Effect.forEach(
    [`/sessions/${id}`, `/sessions/${id}/turns`, `/sessions/${id}/approvals`, api(id, "/steps?limit=1000")],
    (path) => Effect.map(call(path, { token }), ({ text }) => text)
  )
