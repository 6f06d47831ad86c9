/** Where a text is in the session: in what was said and done, in its steps, and in what its processes wrote to stderr. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks"
import { longestQuery, matcherOf, searchItems, searchSteps } from "../../../client/search.ts"
import { clockTime, plural } from "../../../client/format.ts"
import type { Hit } from "../../../sessionContract.ts"
import { go } from "../../app/location.ts"
import { now } from "../../clock.ts"
import { sayProblem } from "../../store.ts"
import { goToEvent, goToStep, goToTurn } from "../goTo.ts"
import type { Store } from "../store.ts"

/** More are read by nobody: a longer word finds fewer. */
const mostShown = 500
/** A server is not asked for every letter. */
const pauseMillis = 300

interface Result {
  readonly hits: ReadonlyArray<Hit>
  /** Where the server goes on; `null`: all was searched. */
  readonly next: string | null
}

const nothing: Result = { hits: [], next: null }

export const Search = ({ store }: { readonly store: Store }) => {
  const query = store.query.value
  const isWhole = store.isWhole.value
  const here = useSearchHere(store, isWhole ? query : "")
  const there = useSearchThere(store, isWhole ? "" : query)
  const { hits, next } = isWhole ? { hits: here, next: null } : there.result
  const isQuery = matcherOf(query) !== null
  return (
    <div class="search">
      <form
        class="search-bar"
        role="search"
        onSubmit={(event) => {
          event.preventDefault()
          if (hits[0] !== undefined) goTo(store, hits[0])
        }}
      >
        <input
          class="field"
          type="search"
          data-search
          aria-label="Search in this session"
          placeholder="What was said or done, steps, stderr"
          maxLength={longestQuery}
          value={query}
          onInput={({ currentTarget }) => (store.query.value = currentTarget.value)}
          onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
        />
        <span class="dim" role="status">
          {!isQuery
            ? ""
            : there.isAsking
              ? "searches…"
              : `${hits.length === 0 ? "found nowhere" : `found in ${plural(hits.length, "place")}`}${next === null ? "" : " so far"}${hits.length > mostShown ? `, of which the first ${mostShown} are shown` : ""}`}
        </span>
        {next === null || !isQuery ? null : (
          <button type="button" class="button" disabled={there.isAsking} onClick={there.goOn}>
            Search on
          </button>
        )}
      </form>
      <ol class="search-hits" tabIndex={0} aria-label="Found">
        {hits.slice(0, mostShown).map((hit) => (
          <li key={`${hit.of}${hit.seq}${hit.turn}${hit.what}`}>
            <button type="button" class="hit" onClick={() => goTo(store, hit)}>
              <span class="hit-what">
                {hit.what}
                {hit.of === "steps" ? ` ${hit.seq}` : hit.turn === null ? "" : `, turn ${hit.turn}`}
              </span>
              <span class="hit-text">
                {hit.snippet[0]}
                <mark>{hit.snippet[1]}</mark>
                {hit.snippet[2]}
              </span>
              <span class="faint hit-at">
                {hit.matches > 1 ? `${hit.matches}× ` : ""}
                {clockTime(hit.at, now.peek())}
              </span>
            </button>
          </li>
        ))}
      </ol>
    </div>
  )
}

const goTo = (store: Store, hit: Hit) => {
  if (hit.of === "steps") {
    goToStep(store, hit.seq)
    store.tab.value = "steps"
  } else if (hit.seq === 0 && hit.turn !== null) goToTurn(store, hit.turn)
  else if (!goToEvent(store, hit.seq)) {
    // It is not here yet: the address waits for it.
    const id = store.detail.peek()?.session.session_id
    if (id !== undefined) go({ view: "session", id, place: { moment: { of: "events", seq: hit.seq } } })
  }
}

/** What the page has is searched by the page. */
const useSearchHere = (store: Store, query: string): ReadonlyArray<Hit> => {
  const [items, steps] = [store.transcript.value, store.steps.value]
  return useMemo(() => {
    const matches = matcherOf(query)
    if (matches === null) return []
    const inSteps = searchSteps(
      steps.map(({ step }) => step),
      matches
    )
    return [...searchItems(items, matches), ...inSteps].toSorted((a, b) => a.at - b.at)
  }, [items, steps, query])
}

/** What the page has not is searched by the server, a part at a time. */
const useSearchThere = (store: Store, query: string) => {
  const [result, setResult] = useState(nothing)
  const [isAsking, setAsking] = useState(false)
  const asked = useRef(0)
  const ask = async (after: string | null, before: Result) => {
    if (store.api === null) return
    asked.current += 1
    const nth = asked.current
    setAsking(true)
    try {
      const { hits, next } = await store.api.search(query.trim(), after)
      if (nth !== asked.current) return
      const known = new Map([...before.hits, ...hits].map((hit) => [`${hit.of}${hit.seq}${hit.turn}${hit.what}`, hit]))
      setResult({ hits: [...known.values()].toSorted((a, b) => a.at - b.at), next })
    } catch (cause) {
      if (nth === asked.current) sayProblem(cause)
    }
    if (nth === asked.current) setAsking(false)
  }
  useEffect(() => {
    asked.current += 1
    setResult(nothing)
    setAsking(false)
    if (matcherOf(query) === null) return
    const timer = setTimeout(() => void ask(null, nothing), pauseMillis)
    return () => clearTimeout(timer)
  }, [query])
  return { result, isAsking, goOn: () => void ask(result.next, result) }
}
