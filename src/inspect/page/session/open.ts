/**
 * Opens a session on the server: its detail, which is the present, then what comes after that, live, for as long as it is looked
 * at, and beside it what came before.
 */
import { batch, effect } from "@preact/signals"
import type { Me } from "../../contract.ts"
import type { Detail, Step, Steps, StreamId, TranscriptEvent } from "../../sessionContract.ts"
import { problemFrom, Refused, unreachable } from "../../client/api.ts"
import { retryDelayMillis } from "../../client/live.ts"
import type { Following, Phase } from "../../client/live.ts"
import type { ServerEvent } from "../../client/sse.ts"
import { followLive } from "../live/topics.ts"
import { gathered } from "../app/gathered.ts"
import { api } from "../store.ts"
import { parsed } from "../../client/visible.ts"
import { examine } from "./examine.ts"
import { between } from "./past.ts"
import type { Other } from "./model/compare.ts"
import { createStore } from "./store.ts"
import type { Store } from "./store.ts"

export const openSession = (id: string, who: Me): { readonly store: Store; readonly close: () => void } => {
  const store = createStore(who.bounds, {
    isAdmin: who.admin,
    wire: (seq) => api.wire(id, seq),
    search: (query, after) => api.search(id, query, after),
    processes: () => api.processes(id),
    events: (after, limit) => api.events(id, after, limit),
    turns: (after, limit) => api.turns(id, after, limit),
    why: () => api.why(id),
    act: (order) => api.act(id, order),
    submit: (prompt) => api.submit(id, { prompt }),
    other: (otherId) => readOther(otherId),
    resend: (turn) => api.resend(id, turn),
    steer: (text) => api.steer(id, text),
    compact: () => api.compact(id),
    fork: (turn) => api.fork(id, { turn_index: turn }),
    exportUrl: (format, texts) => api.exportUrl(id, format, texts)
  })
  const close = feed(id, store)
  return { store, close }
}

const otherSteps = { page: 1_000, most: 5_000 }

const readOther = async (id: string): Promise<Other> => {
  const detail = await api.detail(id)
  const steps: Array<Step> = []
  let after: number | null = 0
  while (after !== null && steps.length < otherSteps.most) {
    const page: Steps = await api.steps(id, after, otherSteps.page)
    steps.push(...page.steps)
    after = page.next
  }
  return { detail, steps, isCut: after !== null }
}

/** What comes in between is one question: a turn that streams changes the detail many times a second. */
const askAgainMillis = 200
const drawMillis = 100
/** The words of the wait contain times. */
const askAnywayMillis = 5_000

/** Enough for what one sees of a transcript at first. */
const firstEvents = 200
/** As the server gives them out. */
const stepsPerPage = 500
/** Pages of earlier events that are fetched without being asked for: the axis and the outline show what is in them. */
const pagesAhead = 10

/** Tries until it succeeds, is refused for good, or the session is left. */
const persistently = async (what: () => Promise<void>, left: AbortSignal): Promise<void> => {
  for (let failures = 0; !left.aborted; failures++) {
    try {
      return await what()
    } catch (cause) {
      const { status } = problemFrom(cause)
      if (status >= 400 && status < 500 && status !== 408 && status !== 429) return
      await pause(retryDelayMillis(failures, Math.random()), left)
    }
  }
}

/** Ends early where the session is left. */
const pause = (millis: number, left: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const over = () => {
      clearTimeout(timer)
      left.removeEventListener("abort", over)
      resolve()
    }
    const timer = setTimeout(over, millis)
    left.addEventListener("abort", over)
    if (left.aborted) over()
  })

const readLastEvents = async (id: string, store: Store, last: number, left: AbortSignal): Promise<void> => {
  const events = await between((...range) => api.events(id, ...range), Math.max(0, last - firstEvents), last + 1)
  if (left.aborted) return
  store.take([], events)
  store.past.look()
}

const readSteps = async (id: string, store: Store, last: number, left: AbortSignal): Promise<void> => {
  while (!left.aborted && store.lastIds().step < last) {
    const { steps } = await api.steps(id, store.lastIds().step, stepsPerPage)
    if (steps.length === 0) break
    store.take(steps, [])
  }
  store.isBegun.value = true
}

const feed = (id: string, store: Store): (() => void) => {
  const life = new AbortController()
  const isOpen = () => !life.signal.aborted
  let steps: Array<Step> = []
  let events: Array<TranscriptEvent> = []
  let drawing: ReturnType<typeof setTimeout> | undefined

  /** A stream of thousands is drawn ten times a second, as text is read, and not thousands of times. */
  const draw = () => {
    drawing = undefined
    // Behind those that came before them.
    const hasEvents = store.past.first.peek() !== undefined
    const [newSteps, newEvents] = [store.isBegun.peek() ? steps : [], hasEvents ? events : []]
    if (newSteps === steps) steps = []
    if (newEvents === events) events = []
    batch(() => store.take(newSteps, newEvents))
  }
  const later = () => {
    if (isOpen()) drawing ??= setTimeout(draw, drawMillis)
  }

  const { refresh: ask, refreshSoon: askSoon } = gathered(async () => {
    if (!isOpen()) return
    try {
      const detail: Detail = await api.detail(id)
      if (!isOpen()) return
      store.detail.value = detail
      store.problem.value = undefined
    } catch (cause) {
      const problem = problemFrom(cause)
      // What is known stays in sight while the server is away; a session that is gone is gone.
      if (isOpen() && (store.detail.value === undefined || problem.status === 404)) store.problem.value = problem
      throw cause
    }
  }, askAgainMillis)

  let following: Following | undefined
  const begin = async ({ last_event, last_step }: Detail) => {
    const after: StreamId = `e${last_event}.s${last_step}`
    following = followLive(id, { onPhase, onEvent }, after)
    look()
    await Promise.all([
      persistently(() => readLastEvents(id, store, last_event, life.signal).then(later), life.signal),
      persistently(() => readSteps(id, store, last_step, life.signal).then(later), life.signal)
    ])
    for (let page = 0; isOpen() && page < pagesAhead; page++) if (!(await store.past.more())) return
  }
  void persistently(async () => {
    await ask()
    const detail = store.detail.peek()
    if (detail !== undefined) return void begin(detail)
    throw new Refused(store.problem.peek() ?? unreachable)
  }, life.signal)

  const onPhase = (phase: Phase) => {
    store.phase.value = phase
    if (phase.name === "live") askSoon()
  }
  const onEvent = ({ data, event }: ServerEvent) => {
    if (event === "step") {
      steps.push(parsed<Step>(data))
      later()
    } else if (event === "event") {
      events.push(parsed<TranscriptEvent>(data))
      later()
    }
    if (event === "changed" || (event === "step" && store.phase.value.name === "live")) askSoon()
  }
  /** A moment that is travelled to has its conversation. */
  const stopTravel = effect(() => {
    const first = store.past.first.value
    if (first === null || first === undefined || store.cursor.value === null) return
    if ((store.last.value?.step.at ?? 0) < first.at) void store.past.more()
  })
  const stopExamining = examine(id, store)
  const anyway = setInterval(() => {
    if (!document.hidden && store.phase.value.name === "live" && !store.isOver.value) void ask()
  }, askAnywayMillis)
  const look = () => (document.hidden ? following?.rest() : following?.resume())
  const retry = () => following?.retry()
  document.addEventListener("visibilitychange", look)
  addEventListener("online", retry)
  return () => {
    life.abort()
    clearTimeout(drawing)
    stopExamining()
    clearInterval(anyway)
    document.removeEventListener("visibilitychange", look)
    removeEventListener("online", retry)
    stopTravel()
    following?.stop()
  }
}
