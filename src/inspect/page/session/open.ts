/** Opens a session on the server: its detail, then its stream from the beginning, and on for as long as it is looked at. */
import type { Me } from "../../contract.ts"
import type { Detail, Step, TranscriptEvent } from "../../sessionContract.ts"
import { problemFrom } from "../../client/api.ts"
import { followLive } from "../live/topics.ts"
import { gathered } from "../app/gathered.ts"
import { api } from "../store.ts"
import { parsed } from "../../client/visible.ts"
import { createStore } from "./store.ts"
import type { Store } from "./store.ts"

export const openSession = (id: string, who: Me): { readonly store: Store; readonly close: () => void } => {
  const store = createStore(who.bounds, {
    isAdmin: who.admin,
    wire: (seq) => api.wire(id, seq),
    search: (query, after) => api.search(id, query, after),
    processes: () => api.processes(id),
    turns: (after, limit) => api.turns(id, after, limit),
    why: () => api.why(id),
    act: (order) => api.act(id, order),
    submit: (prompt) => api.submit(id, { prompt }),
    fork: (turn) => api.fork(id, { turn_index: turn }),
    exportUrl: (format, texts) => api.exportUrl(id, format, texts)
  })
  const close = feed(id, store)
  return { store, close }
}

/** What comes in between is one question: a turn that streams changes the detail many times a second. */
const askAgainMillis = 200
/** Each takes a look at the kernel's table of processes. */
const examineMillis = 3_000
/** The words of the wait contain times. */
const askAnywayMillis = 5_000

const feed = (id: string, store: Store): (() => void) => {
  let isOpen = true
  let steps: Array<Step> = []
  let events: Array<TranscriptEvent> = []
  let drawing: ReturnType<typeof setTimeout> | undefined

  /** A stream of thousands is drawn a few times a second, not thousands of times. */
  const draw = () => {
    drawing = undefined
    store.take(steps, events)
    steps = []
    events = []
  }
  const later = () => {
    drawing ??= setTimeout(draw, 50)
  }

  const { refresh: ask, refreshSoon: askSoon } = gathered(async () => {
    if (!isOpen) return
    try {
      const detail: Detail = await api.detail(id)
      if (!isOpen) return
      store.detail.value = detail
      store.problem.value = undefined
    } catch (cause) {
      const problem = problemFrom(cause)
      // What is known stays in sight while the server is away; a session that is gone is gone.
      if (isOpen && (store.detail.value === undefined || problem.status === 404)) store.problem.value = problem
      throw cause
    }
  }, askAgainMillis)

  void ask()
  const following = followLive(id, {
    onPhase: (phase) => {
      store.phase.value = phase
      if (phase.name === "live") askSoon()
    },
    onEvent: ({ data, event }) => {
      if (event === "step") {
        steps.push(parsed<Step>(data))
        later()
      } else if (event === "event") {
        events.push(parsed<TranscriptEvent>(data))
        later()
      }
      if (event === "changed" || (event === "step" && store.phase.value.name === "live")) askSoon()
    }
  })
  /** Only of a process there is anything to examine. */
  const examine = async () => {
    const detail = store.detail.peek()
    if (document.hidden || store.phase.peek().name !== "live" || detail === undefined) return
    if (detail.process.pid === null) {
      store.diagnosis.value = undefined
      return
    }
    try {
      const [diagnosis, { samples }] = await Promise.all([api.why(id), api.processes(id)])
      if (!isOpen) return
      store.diagnosis.value = diagnosis
      store.measured(samples)
    } catch {
      // The detail's own question says what is wrong.
    }
  }
  let examining: ReturnType<typeof setTimeout> | undefined
  const examineAgain = async () => {
    await examine()
    if (isOpen) examining = setTimeout(() => void examineAgain(), examineMillis)
  }
  examining = setTimeout(() => void examineAgain(), 500)
  const anyway = setInterval(() => {
    if (!document.hidden && store.phase.value.name === "live" && !store.isOver.value) void ask()
  }, askAnywayMillis)
  const look = () => (document.hidden ? following.rest() : following.resume())
  document.addEventListener("visibilitychange", look)
  addEventListener("online", following.retry)
  return () => {
    isOpen = false
    clearTimeout(drawing)
    clearTimeout(examining)
    clearInterval(anyway)
    document.removeEventListener("visibilitychange", look)
    removeEventListener("online", following.retry)
    following.stop()
  }
}
