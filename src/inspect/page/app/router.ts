/** Where the page is, in the part of the address behind `#`: a link to it can be sent, and going back works. */
import type { SessionFilter } from "../../client/api.ts"
import { noFilter, outcomes, sorts, states } from "../../client/rows.ts"

/** A moment of a session, and the part of it that is shown: `…/steps/16?tab=state`. Absent: now, and its transcript. */
export interface Place {
  /** By the number of the step that led to it, or of an event of the transcript. What is no number is `null`. */
  readonly moment?: { readonly of: "steps" | "events"; readonly seq: number | null }
  readonly tab?: string
}

export type Route =
  | { readonly view: "attention" }
  | { readonly view: "sessions"; readonly filter: SessionFilter }
  | { readonly view: "session"; readonly id: string; readonly place?: Place }
  | { readonly view: "approvals" }
  | { readonly view: "fleet" }
  | { readonly view: "machine" }
  | { readonly view: "nodes" }
  | { readonly view: "agents" }
  | { readonly view: "new" }
  | { readonly view: "unknown" }

const oneOf = <A extends string>(words: ReadonlyArray<A>, text: string | null): A | null =>
  words.find((word) => word === text) ?? null

const decoded = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/** `hash` as the browser has it: empty, or with its `#`. */
export const routeOf = (hash: string): Route => {
  if (codeOf(hash) !== undefined) return { view: "attention" }
  const [path = "", query = ""] = hash.replace(/^#?\/?/, "").split("?", 2)
  // Links to a filter were such before there was another home.
  if (path === "" && query === "") return { view: "attention" }
  if (path === "" || path === "sessions") return { view: "sessions", filter: filterOf(new URLSearchParams(query)) }
  if (
    path === "approvals" ||
    path === "fleet" ||
    path === "machine" ||
    path === "nodes" ||
    path === "agents" ||
    path === "new"
  )
    return { view: path }
  const [, id, of, seq] = /^sessions\/([^/]+)(?:\/(steps|events)\/([^/]*))?$/.exec(path) ?? []
  const session = id === undefined ? undefined : decoded(id)
  if (session === undefined) return { view: "unknown" }
  const tab = new URLSearchParams(query).get("tab")
  const moment: Place = of === "steps" || of === "events" ? { moment: { of, seq: seqOf(seq) } } : {}
  const part = tab === null || tab === "" ? {} : { tab }
  const place: Place = { ...moment, ...part }
  return { view: "session", id: session, ...(Object.keys(place).length === 0 ? {} : { place }) }
}

const seqOf = (text = ""): number | null => (/^\d{1,15}$/.test(text) ? Number(text) : null)

export const filterOf = (query: URLSearchParams): SessionFilter => {
  const [meta, substate] = [query.get("meta"), query.get("substate")]
  return {
    q: query.get("q") ?? "",
    state: oneOf(states, query.get("state")),
    substate: substate !== null && /^[a-z]+(\.[A-Za-z]+)*$/.test(substate) ? substate : null,
    outcome: oneOf(outcomes, query.get("outcome")),
    meta: meta !== null && meta.indexOf("=") > 0 ? meta : null,
    agent: query.get("agent"),
    app: query.get("app"),
    node: query.get("node"),
    sort: oneOf(sorts, query.get("sort")) ?? noFilter.sort,
    order: query.get("order") === "asc" ? "asc" : "desc"
  }
}

/** What differs from the list of all sessions. */
export const queryOf = (filter: SessionFilter): URLSearchParams => {
  const query = new URLSearchParams()
  for (const name of Object.keys(noFilter) as ReadonlyArray<keyof SessionFilter>) {
    const value = filter[name]
    if (value !== null && value !== noFilter[name]) query.set(name, value)
  }
  return query
}

export const hashOf = (route: Exclude<Route, { readonly view: "unknown" }>): string => {
  if (route.view === "session") {
    const { moment, tab } = route.place ?? {}
    const at = moment === undefined || moment.seq === null ? "" : `/${moment.of}/${moment.seq}`
    const part = tab === undefined ? "" : `?${new URLSearchParams({ tab })}`
    return `#/sessions/${encodeURIComponent(route.id)}${at}${part}`
  }
  if (route.view === "attention") return "#/"
  if (route.view !== "sessions") return `#/${route.view}`
  const query = queryOf(route.filter)
  return query.size === 0 ? "#/sessions" : `#/sessions?${query}`
}

export const hashOfSession = (id: string, place: Place = {}): string => hashOf({ view: "session", id, place })

/** The code of a one-time login link, which is in the address like a route. */
export const codeOf = (hash: string): string | undefined => {
  const code = /^#code=([^&]+)$/.exec(hash)?.[1]
  return code === undefined ? undefined : decoded(code)
}
