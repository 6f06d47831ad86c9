/**
 * The controller of `troupe top`: follows the server's steps and the session under the cursor, performs the actions of
 * the keys, and updates the model that is drawn.
 */
import type { SlimStep, State } from "../../inspect/contract.ts"
import type { Api, Problem, SessionFilter } from "../../inspect/client/api.ts"
import { follow } from "../../inspect/client/live.ts"
import type { Phase } from "../../inspect/client/live.ts"
import { toneOf } from "../../inspect/client/tones.ts"
import { makeApprovalActions } from "./approvalActions.ts"
import { makeRequests } from "./requests.ts"
import { makeModel, moved } from "./Model.ts"
import type { Notice, Order } from "./Model.ts"
import { makeSessionWatch } from "./sessionWatch.ts"
import { makeTableLoader } from "./tableLoader.ts"

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

/** A count makes the server read all sessions, so it is not repeated at each step. */
const recountMillis = 10_000
const noticeSeconds = 5
const problemSeconds = 15

export type Top = ReturnType<typeof makeTop>

export const makeTop = ({ api, changed, ended, filter, send, url }: Options) => {
  const model = makeModel(url)
  let skewSeconds = 0
  let wasLive = false

  const now = (): number => Date.now() / 1000 + skewSeconds

  const notify = (text: string, tone: Notice["tone"] = "good") => {
    model.notice = { text, tone, until: now() + (tone === "good" ? noticeSeconds : problemSeconds) }
    changed()
  }
  const showProblem = ({ detail }: Problem) => notify(detail, "bad")
  const requests = makeRequests({ changed, failed: showProblem, unauthorized: ended })
  const { request } = requests
  const sessionWatch = makeSessionWatch({ api, send, requests, model, changed })

  const loadMe = () =>
    request(api.me(), (me) => {
      skewSeconds = me.now - Date.now() / 1000
      model.me = me
    })

  const select = (id: string | null) => {
    model.selected = id
    changed()
    if (id !== null && model.rows.order.indexOf(id) >= model.rows.order.length - 20) table.loadMore()
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

  const table = makeTableLoader({ api, model, requests, changed, showProblem, keepingPlace })

  const approvals = makeApprovalActions({ api, model, requests, notify, showProblem })

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
        if (toneOf(step.from) === "asking" || toneOf(step.to) === "asking") approvals.load()
        return
      }
      case "removed": {
        const { session_id } = JSON.parse(data) as { readonly session_id: string }
        return keepingPlace(() => model.rows.removed(session_id))
      }
      case "reset":
        // The server may have been restarted.
        loadMe()
        approvals.load()
        return table.reload()
      case "live":
        // The stream has caught up with the missed steps; a detail that could not be loaded is loaded again.
        sessionWatch.recover()
        if (wasLive && model.problem === null) return
        approvals.load()
        table.reload(wasLive ? model.rows.filter : filter)
        wasLive = true
    }
  }

  loadMe()
  const steps = follow({ url: api.stepsUrl(), send, onPhase, onEvent: onStreamEvent })
  const clock = setInterval(changed, 1_000)
  const recounting = setInterval(table.recount, recountMillis)

  return {
    model,
    now,
    select,
    notify,
    reload: table.reload,
    filterTyped: table.filterTyped,
    quit: () => ended(null),
    move: (by: number) => select(moved(model.rows.order, model.selected, by)),
    toggle: () => {
      model.showsDetail = !model.showsDetail
      select(model.selected)
    },
    chooseApproval: approvals.choose,
    showState: (state: State | null) => table.reload({ ...model.rows.filter, state }),
    act: (order: Order, id: string) => request(api.act(id, order), ({ note }) => notify(note)),
    answer: approvals.answer,
    stop: () => {
      requests.stop()
      steps.stop()
      sessionWatch.stop()
      clearInterval(clock)
      clearInterval(recounting)
    }
  }
}
