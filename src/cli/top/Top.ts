/**
 * The controller of `troupe top`: follows the server's steps and the session under the cursor, performs the actions of
 * the keys, and updates the model that is drawn.
 */
import type { SlimStep, State } from "../../inspect/contract.ts"
import type { Api, Problem, SessionFilter } from "../../inspect/client/api.ts"
import { follow } from "../../inspect/client/live.ts"
import type { Phase } from "../../inspect/client/live.ts"
import { makeRequests } from "./requests.ts"
import { makeModel, moved } from "./Model.ts"
import type { Decision, Notice, Order } from "./Model.ts"
import { makeSessionWatch } from "./sessionWatch.ts"

export interface Options {
  readonly url: string
  readonly api: Api
  /** `fetch`, with the token. */
  readonly send: typeof fetch
  readonly filter: SessionFilter
  /** A frame has to be drawn. */
  readonly changed: () => void
  /** The program is to end: `null` on request, a problem where the token is not valid any more. */
  readonly ended: (problem: Problem | null) => void
}

const pageSize = 100
/** A count makes the server read all sessions, so it is not repeated at each step. */
const recountMillis = 10_000
const typedMillis = 250
const noticeSeconds = 5
const problemSeconds = 15

export type Top = ReturnType<typeof makeTop>

export const makeTop = ({ api, changed, ended, filter, send, url }: Options) => {
  const model = makeModel(url)
  let skewSeconds = 0
  let generation = 0
  let wasLive = false

  const now = (): number => Date.now() / 1000 + skewSeconds

  const notify = (text: string, tone: Notice["tone"] = "good") => {
    model.notice = { text, tone, until: now() + (tone === "good" ? noticeSeconds : problemSeconds) }
    changed()
  }
  const showProblem = ({ detail }: Problem) => notify(detail, "bad")
  const requests = makeRequests({ changed, failed: showProblem, unauthorized: ended })
  const { delayed, request } = requests
  const sessionWatch = makeSessionWatch({ api, send, requests, model, changed })

  const loadMe = () =>
    request(api.me(), (me) => {
      skewSeconds = me.now - Date.now() / 1000
      model.me = me
    })

  const select = (id: string | null) => {
    model.selected = id
    changed()
    if (id !== null && model.rows.order.indexOf(id) >= model.rows.order.length - 20) loadMore()
    sessionWatch.watch(model.showsDetail ? id : null)
  }

  /** Keeps the cursor on its session; where that leaves the table, moves it to the next one. */
  const keepingPlace = (change: () => void) => {
    const before = model.selected === null ? 0 : Math.max(0, model.rows.order.indexOf(model.selected))
    change()
    changed()
    if (model.rows.row(model.selected) !== undefined) return
    const next = model.rows.order[Math.min(before, model.rows.order.length - 1)] ?? null
    if (next !== model.selected) select(next)
  }

  // The table.

  const load = (cursor: string | undefined, filter: SessionFilter) => {
    const ownGeneration = (generation += 1)
    model.isLoading = true
    model.rows.expect(filter)
    changed()
    request(
      api.sessions(filter, pageSize, cursor),
      (answer) => {
        if (ownGeneration !== generation) return
        model.isLoading = false
        model.problem = null
        keepingPlace(() => model.rows.page(answer, cursor === undefined))
      },
      (problem) => {
        if (ownGeneration !== generation) return
        model.isLoading = false
        model.problem = problem.detail
        if (model.rows.order.length > 0) showProblem(problem)
      }
    )
  }
  const loadMore = () => {
    const { cursor, filter, hasMore } = model.rows
    if (hasMore && !model.isLoading && typeof cursor === "string") load(cursor, filter)
  }
  const reload = (filter: SessionFilter = model.rows.filter) => load(undefined, filter)
  const typed = delayed(typedMillis, () => {
    if (model.mode.name === "filter") reload({ ...model.rows.filter, q: model.mode.text })
  })
  const recount = () => {
    if (!model.rows.tally.isUnsure || model.isLoading) return
    const ownGeneration = generation
    request(
      api.sessions(model.rows.filter, 1),
      (answer) => ownGeneration === generation && model.rows.recounted(answer),
      () => {}
    )
  }

  const loadApprovals = delayed(300, () =>
    request(api.approvals(), ({ approvals }) => {
      model.approvals = approvals
      // Where the chosen one was answered elsewhere none is chosen, so that the next key does not answer another one.
      if (!approvals.some(({ approval_id }) => approval_id === model.approval)) model.approval = null
    })
  )

  // The stream of steps.

  const onPhase = (phase: Phase) => {
    if (phase.name === "refused") return ended(phase.problem)
    model.phase = phase.name === "lost" ? { ...phase, retryAt: phase.retryAt + skewSeconds * 1000 } : phase
    changed()
  }
  const onStreamEvent = ({ data, event }: { readonly event: string; readonly data: string }) => {
    switch (event) {
      case "step": {
        const step = JSON.parse(data) as SlimStep
        keepingPlace(() => model.rows.step(step))
        if (step.from === "turning.asking" || step.to === "turning.asking") loadApprovals.start()
        return
      }
      case "removed": {
        const { session_id } = JSON.parse(data) as { readonly session_id: string }
        return keepingPlace(() => model.rows.removed(session_id))
      }
      case "reset":
        // The server may have been restarted.
        loadMe()
        loadApprovals.start()
        return reload()
      case "live":
        // The stream has caught up with the missed steps; a detail that could not be loaded is loaded again.
        sessionWatch.recover()
        if (wasLive && model.problem === null) return
        loadApprovals.start()
        reload(wasLive ? model.rows.filter : filter)
        wasLive = true
    }
  }

  loadMe()
  const steps = follow({ url: api.stepsUrl(), send, onPhase, onEvent: onStreamEvent })
  const clock = setInterval(changed, 1_000)
  const recounting = setInterval(recount, recountMillis)

  return {
    model,
    now,
    select,
    notify,
    reload,
    filterTyped: typed.restart,
    quit: () => ended(null),
    move: (by: number) => select(moved(model.rows.order, model.selected, by)),
    toggle: () => {
      model.showsDetail = !model.showsDetail
      select(model.selected)
    },
    chooseApproval: (by: number) => {
      const ids = model.approvals.map(({ approval_id }) => approval_id)
      model.approval = moved(ids, model.approval, by)
    },
    showState: (state: State | null) => reload({ ...model.rows.filter, state }),
    act: (order: Order, id: string) => request(api.act(id, order), ({ note }) => notify(note)),
    answer: (decision: Decision) => {
      const one = model.approvals.find(({ approval_id }) => approval_id === model.approval)
      if (one === undefined) return notify("Choose one first, with ↑ or ↓.", "bad")
      request(
        api.answer(one.session_id, one.approval_id, decision),
        ({ note }) => {
          notify(note)
          loadApprovals.start()
        },
        (problem) => {
          showProblem(problem)
          loadApprovals.start()
        }
      )
    },
    stop: () => {
      requests.stop()
      steps.stop()
      sessionWatch.stop()
      clearInterval(clock)
      clearInterval(recounting)
    }
  }
}
