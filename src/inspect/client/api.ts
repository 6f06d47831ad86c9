/**
 * The requests of the page and of `troupe top`, typed by the contract. A request that fails throws `Refused`, with the
 * problem that the server sent.
 */
import type {
  Answer,
  Approvals,
  Coverage,
  Done,
  Link,
  Login,
  Me,
  NewFork,
  NewSession,
  NewTurn,
  Opened,
  Outcome,
  Rows,
  Resend,
  SessionRows,
  Sort,
  State,
  Steer,
  Threads
} from "../contract.ts"
import type { Agents, Attentions, Checked, Fleet, FleetSessions, Nodes } from "../fleetContract.ts"
import type {
  Detail,
  Diagnosis,
  Events,
  ExportFormat,
  Hits,
  Processes,
  Steps,
  Turns,
  Wire
} from "../sessionContract.ts"
import { parsed } from "./visible.ts"
import { cut } from "../../domain/cut.ts"

/** A problem of RFC 9457 as Troupe sends it, or a failure before the server in the same form. */
export interface Problem {
  /** 0: there was no answer. */
  readonly status: number
  /** The stable code, such as `session_closed`. */
  readonly error: string
  readonly title: string
  readonly detail: string
  readonly request_id?: string
  readonly reasons?: ReadonlyArray<string>
}

export class Refused extends Error {
  readonly problem: Problem
  constructor(problem: Problem) {
    super(problem.detail)
    this.name = "Refused"
    this.problem = problem
  }
}

/** The problem to show to a person for anything that was thrown. */
export const problemFrom = (cause: unknown): Problem =>
  cause instanceof Refused
    ? cause.problem
    : {
        status: 0,
        error: "client_fault",
        title: "A fault here, not at the server",
        detail: cause instanceof Error ? cause.message : String(cause)
      }

export const unreachable: Problem = {
  status: 0,
  error: "unreachable",
  title: "No answer",
  detail: "Troupe does not answer. It may be stopped, or the connection to it is down."
}

/** The connection may be whole, or frozen on the way: nothing came over it. */
export const silentFor = (millis: number): Problem => ({
  ...unreachable,
  error: "deadline",
  detail: `Nothing came from Troupe for ${millis / 1_000} s. It may be stopped or very busy, or the connection to it is frozen.`
})

/** Of a request that threw, or was given up by its signal. */
const problemOfSending = (cause: unknown, withinMillis: number): Problem =>
  cause instanceof DOMException && cause.name === "TimeoutError" ? silentFor(withinMillis) : unreachable

/** Of a response that is not 2xx. That of a proxy contains no problem. */
export const problemOf = async (response: Response): Promise<Problem> => {
  const plain = {
    status: response.status,
    error: "unexpected_answer",
    title: response.statusText || "Unexpected answer"
  }
  const text = await response.text().catch(() => "")
  try {
    const body = parsed<Partial<Problem>>(text)
    if (typeof body.error === "string" && typeof body.detail === "string")
      return { ...plain, ...body, title: body.title ?? plain.title, error: body.error, detail: body.detail }
  } catch {
    // Answered below, with the beginning of the text.
  }
  return { ...plain, detail: `The server answered ${response.status}. ${cut(text, 200)}`.trim() }
}

/** Which sessions a list has, and in which order. */
export interface SessionFilter {
  readonly q: string
  readonly state: State | null
  /** Such as `turning.asking`. */
  readonly substate: string | null
  readonly outcome: Outcome["status"] | null
  /** `key=value`. */
  readonly meta: string | null
  readonly agent: string | null
  readonly app: string | null
  readonly node: string | null
  readonly sort: Sort
  readonly order: "asc" | "desc"
}

/** The server requires it on a `POST` with the cookie: no foreign page can send it. */
export const ownHeaders = { "x-troupe-inspect": "1" }

const answerWithinMillis = 30_000

type Query = Readonly<Record<string, string | number | null | undefined>>

/** `base` ends in a slash: `http://127.0.0.1:8420/inspect/api/`. */
export const createApi = (base: string, send: typeof fetch = fetch) => {
  const urlOf = (path: string, query: Query = {}): string => {
    const url = new URL(path, base)
    for (const [key, value] of Object.entries(query))
      if (value !== null && value !== undefined && value !== "") url.searchParams.set(key, String(value))
    return url.href
  }

  const ask = async <A>(method: "GET" | "POST", path: string, query?: Query, body?: unknown): Promise<A> => {
    let response: Response
    try {
      response = await send(urlOf(path, query), {
        method,
        credentials: "same-origin",
        cache: "no-store",
        headers: body === undefined ? ownHeaders : { ...ownHeaders, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(answerWithinMillis)
      })
    } catch (cause) {
      throw new Refused(problemOfSending(cause, answerWithinMillis))
    }
    if (!response.ok) throw new Refused(await problemOf(response))
    try {
      return parsed<A>(await response.text())
    } catch (cause) {
      const problem = problemOfSending(cause, answerWithinMillis)
      throw new Refused({ ...problem, detail: `The connection broke in the middle of an answer. ${problem.detail}` })
    }
  }

  const get = <A>(path: string, query?: Query) => ask<A>("GET", path, query)
  const post = <A>(path: string, body: unknown = {}) => ask<A>("POST", path, undefined, body)
  const of = (id: string) => `sessions/${encodeURIComponent(id)}`

  return {
    login: (login: Login) => post<Me>("login", login),
    logout: () => post<{ readonly ok: true }>("logout"),
    me: () => get<Me>("me"),
    link: () => post<Link>("link"),
    sessions: (filter: Partial<SessionFilter>, limit: number, cursor?: string | null) =>
      get<SessionRows>("sessions", { ...filter, limit, cursor }),
    /** At most 200. */
    rows: (ids: ReadonlyArray<string>) => get<Rows>("rows", { ids: ids.join(",") }),
    attention: () => get<Attentions>("attention"),
    fleet: (window: "hour" | "day") => get<Fleet>("fleet", { window }),
    fleetSessions: (from: number, to: number, failed: boolean) =>
      get<FleetSessions>("fleet/sessions", { from, to, failed: failed ? 1 : 0 }),
    approvals: () => get<Approvals>("approvals"),
    coverage: (agent?: string | null) => get<Coverage>("coverage", { agent }),
    nodes: () => get<Nodes>("nodes"),
    detail: (id: string) => get<Detail>(of(id)),
    steps: (id: string, after?: number, limit?: number) => get<Steps>(`${of(id)}/steps`, { after, limit }),
    wire: (id: string, seq: number) => get<Wire>(`${of(id)}/steps/${seq}/wire`),
    events: (id: string, after?: number, limit?: number) => get<Events>(`${of(id)}/events`, { after, limit }),
    turns: (id: string, after: number, limit: number) => get<Turns>(`${of(id)}/turns`, { after, limit }),
    search: (id: string, q: string, after: string | null) => get<Hits>(`${of(id)}/search`, { q, after }),
    processes: (id: string) => get<Processes>(`${of(id)}/processes`),
    why: (id: string) => get<Diagnosis>(`${of(id)}/why`),
    agents: () => get<Agents>("agents"),
    check: (agent: string) => post<Checked>(`agents/${encodeURIComponent(agent)}/check`),
    threads: (agent: string, query: { readonly app?: string | undefined; readonly cursor?: string | null }) =>
      get<Threads>(`agents/${encodeURIComponent(agent)}/threads`, query),
    start: (session: NewSession) => post<Opened>("sessions", session),
    submit: (id: string, turn: NewTurn) => post<Done>(`${of(id)}/turn`, turn),
    resend: (id: string, turn: number) => post<Done>(`${of(id)}/resend`, { turn_index: turn } satisfies Resend),
    steer: (id: string, text: string) => post<Done>(`${of(id)}/steer`, { text } satisfies Steer),
    compact: (id: string) => post<Done>(`${of(id)}/compact`),
    fork: (id: string, fork: NewFork) => post<Opened>(`${of(id)}/fork`, fork),
    act: (id: string, order: "interrupt" | "close" | "unpark") => post<Done>(`${of(id)}/${order}`),
    answer: (id: string, approvalId: string, answer: Answer) =>
      post<Done>(`${of(id)}/approvals/${encodeURIComponent(approvalId)}`, answer),
    /** Addresses for `follow` and for links. */
    stepsUrl: () => urlOf("steps"),
    liveUrl: (topics: ReadonlyArray<{ readonly name: string; readonly after: string }>) => {
      const url = new URL("live", base)
      for (const { after, name } of topics) url.searchParams.append("on", `${name}~${after}`)
      return url.href
    },
    streamUrl: (id: string, after?: string) => urlOf(`${of(id)}/stream`, { after }),
    exportUrl: (id: string, format: ExportFormat, texts: boolean) =>
      urlOf(`${of(id)}/export`, { format, texts: texts ? 1 : 0 })
  }
}

export type Api = ReturnType<typeof createApi>
