/** A client app of Troupe, over HTTP and with its own token only. */
import { Effect, Schedule } from "effect"
import type { PermissionPolicy } from "../../../src/domain/Permissions.ts"
import { eventsOf } from "./sse.ts"
import type { ServerEvent } from "./sse.ts"
import { within } from "./until.ts"
import type { AcpEvent, Run, SessionBody, Turn } from "./wire.ts"

export interface Answer<Body> {
  readonly status: number
  readonly body: Body
}

export interface CreateSession {
  readonly agent: string
  readonly cwd?: string
  readonly permissions?:
    | PermissionPolicy
    | { readonly default: PermissionPolicy; readonly rules: ReadonlyArray<object> }
  readonly system_prompt?: string
  readonly mcp_servers?: ReadonlyArray<object>
}

/** A connection that broke is a defect of the test or of Troupe; a status is an answer. */
export const call = <Body>(url: string, token: string, method: string, body?: object): Effect.Effect<Answer<Body>> =>
  Effect.promise(async (signal) => {
    const response = await fetch(url, {
      method,
      signal,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" })
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) })
    })
    const answered = (await response.json()) as Body
    return {
      status: response.headers.has("x-troupe-late-answer") ? statusIn(answered) : response.status,
      body: answered
    }
  })

/** Of an answer whose headers were sent before its outcome was known: on a loaded machine an agent takes its time. */
const statusIn = (body: unknown): number => {
  const { interrupted, ok, status } = body as {
    readonly ok: boolean
    readonly interrupted?: boolean
    readonly status?: number
  }
  return ok ? 200 : typeof status === "number" ? status : interrupted === true ? 504 : 502
}

/** Reads a stream until it ends or `isEnough`, then disconnects. */
const read = (url: string, init: RequestInit, isEnough: (event: ServerEvent) => boolean) =>
  Effect.promise(async (signal) => {
    const disconnect = new AbortController()
    const response = await fetch(url, { ...init, signal: AbortSignal.any([signal, disconnect.signal]) })
    if (response.body === null) throw new Error(`${url} answered ${response.status} without a body`)
    const events: Array<ServerEvent> = []
    for await (const event of eventsOf(response.body)) {
      events.push(event)
      if (isEnough(event)) break
    }
    disconnect.abort()
    return { status: response.status, events }
  })

export const make = (origin: string, token: string) => {
  const tryCreate = (options: CreateSession) => {
    // It takes nothing else.
    const least = options.agent === "acpx:claude" ? { permissions: "approve_all" } : {}
    return call<SessionBody & { readonly error?: string; readonly detail?: string }>(
      `${origin}/sessions`,
      token,
      "POST",
      { ...least, ...options }
    )
  }
  const create = Effect.fnUntraced(function* (options: CreateSession) {
    const { body, status } = yield* tryCreate(options)
    if (status !== 200)
      return yield* Effect.die(new Error(`POST /sessions answered ${status}: ${JSON.stringify(body)}`))
    return sessionOf(origin, token, body.session_id)
  })
  return {
    create,
    tryCreate,
    /** A session that was created earlier, maybe by another Troupe on the same data. */
    session: (id: string) => sessionOf(origin, token, id),
    /** Gives the file's id. */
    upload: (name: string, text: string) =>
      Effect.promise(async (signal) => {
        const form = new FormData()
        form.append("file", new Blob([text]), name)
        const headers = { authorization: `Bearer ${token}` }
        const response = await fetch(`${origin}/files`, { method: "POST", signal, headers, body: form })
        return ((await response.json()) as { readonly file_id: string }).file_id
      }),
    run: (body: object) => within("POST /run", call<Run>(`${origin}/run`, token, "POST", body))
  }
}

const sessionOf = (origin: string, token: string, id: string) => {
  const path = `${origin}/sessions/${id}`
  const authorization = `Bearer ${token}`
  const get = Effect.map(call<SessionBody>(path, token, "GET"), ({ body }) => body)
  return {
    id,
    get,
    /** Waits until the session is as wanted. */
    becomes: (what: string, isIt: (session: SessionBody) => boolean) =>
      within(what, Effect.repeat(get, { until: isIt, schedule: Schedule.spaced("25 millis") })),
    /** Waits for the turn's end. */
    turn: (prompt: string, options: object = {}) =>
      within(`the turn ${JSON.stringify(prompt)}`, call<Turn>(`${path}/turn`, token, "POST", { prompt, ...options })),
    /** Does not wait: the answer is 202 when the turn is accepted. */
    submit: (prompt: string) => call<object>(`${path}/turn`, token, "POST", { prompt, wait: false }),
    /** The same turn as a stream of events; the last one is its result. */
    stream: (prompt: string) =>
      within(
        `the streamed turn ${JSON.stringify(prompt)}`,
        read(
          `${path}/turn`,
          {
            method: "POST",
            headers: { authorization, "content-type": "application/json", accept: "text/event-stream" },
            body: JSON.stringify({ prompt })
          },
          () => false
        )
      ),
    stored: (turn: number) => Effect.map(call<Turn>(`${path}/turns/${turn}`, token, "GET"), ({ body }) => body),
    /** The same as `hears`, however long it takes: for what may never happen. */
    heard: (isIt: (event: AcpEvent) => boolean) =>
      read(`${path}/events`, { headers: { authorization } }, ({ data }) => isIt(data as AcpEvent)),
    /** Waits until an event of the session, an earlier one included, is the one looked for. */
    hears: (what: string, isIt: (event: AcpEvent) => boolean) =>
      within(
        what,
        read(`${path}/events`, { headers: { authorization } }, ({ data }) => isIt(data as AcpEvent))
      ),
    steer: (text: string) =>
      within(
        "the steering",
        call<{ readonly ok: boolean; readonly steered?: true; readonly error?: string }>(
          `${path}/steer`,
          token,
          "POST",
          { text }
        )
      ),
    compact: within("the compaction", call<Turn>(`${path}/compact`, token, "POST")),
    answer: (approval: string, decision: "once" | "session" | "deny") =>
      within(
        "the answer",
        call<{ readonly ok: boolean; readonly status?: string; readonly decision?: string }>(
          `${path}/approvals/${approval}`,
          token,
          "POST",
          { decision }
        )
      ),
    messages: Effect.map(
      call<{ readonly messages: Turn["messages"] }>(`${path}/messages`, token, "GET"),
      ({ body }) => body.messages
    ),
    interrupt: within(
      "the interrupt",
      call<{ readonly ok: boolean; readonly interrupted: boolean }>(`${path}/interrupt`, token, "POST")
    ),
    close: within("the close", call<object>(path, token, "DELETE"))
  }
}

export type App = ReturnType<typeof make>
export type Session = ReturnType<typeof sessionOf>

/** The agent has begun to say something. */
export const speaks = ({ params }: AcpEvent) => params?.update?.sessionUpdate === "agent_message_chunk"
