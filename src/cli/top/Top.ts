/**
 * `troupe top` at work: follows the house and the session under the cursor, does what keys ask for, and keeps the model
 * that is drawn.
 */
import type { SlimStep, State } from "../../inspect/contract.ts"
import type { Api, Problem, SessionFilter } from "../../inspect/client/api.ts"
import { follow } from "../../inspect/client/live.ts"
import type { Phase } from "../../inspect/client/live.ts"
import { makeAsking } from "./requests.ts"
import { makeModel, moved } from "./Model.ts"
import type { Decision, Order, Said } from "./Model.ts"
import { makeWatching } from "./sessionWatch.ts"

export interface Options {
  readonly url: string
  readonly api: Api
  /** `fetch`, with the token. */
  readonly send: typeof fetch
  readonly filter: SessionFilter
  /** Something is to be drawn anew. */
  readonly changed: () => void
  /** It is over: `null` as it was wished, a problem where nobody may look any more. */
  readonly ended: (problem: Problem | null) => void
}

const pageSize = 100
/** A count costs the server a look at all sessions: not at each step. */
const recountMillis = 10_000
const typedMillis = 250
const goodNewsSeconds = 5
const badNewsSeconds = 15

export type Top = ReturnType<typeof makeTop>

export const makeTop = ({ api, changed, ended, filter, send, url }: Options) => {
  const model = makeModel(url)
  let skewSeconds = 0
  let generation = 0
  let hasNews = false

  const now = (): number => Date.now() / 1000 + skewSeconds

  const say = (text: string, tone: Said["tone"] = "good") => {
    model.said = { text, tone, until: now() + (tone === "good" ? goodNewsSeconds : badNewsSeconds) }
    changed()
  }
  const complain = ({ detail }: Problem) => say(detail, "bad")
  const asking = makeAsking({ changed, complain, shutOut: ended })
  const { asked, soon } = asking
  const watching = makeWatching({ api, send, asking, model, changed })

  const introduce = () =>
    asked(api.me(), (me) => {
      skewSeconds = me.now - Date.now() / 1000
      model.me = me
    })

  const select = (id: string | null) => {
    model.selected = id
    changed()
    if (id !== null && model.rows.order.indexOf(id) >= model.rows.order.length - 20) loadMore()
    watching.watch(model.showsDetail ? id : null)
  }

  /** Who is under the cursor stays there; where they leave, the next one is. */
  const keepingPlace = (change: () => void) => {
    const before = model.selected === null ? 0 : Math.max(0, model.rows.order.indexOf(model.selected))
    change()
    changed()
    if (model.rows.row(model.selected) !== undefined) return
    const next = model.rows.order[Math.min(before, model.rows.order.length - 1)] ?? null
    if (next !== model.selected) select(next)
  }

  // The table.

  const load = (cursor: string | undefined, wanted: SessionFilter) => {
    const own = (generation += 1)
    model.isLoading = true
    model.rows.expect(wanted)
    changed()
    asked(
      api.sessions(wanted, pageSize, cursor),
      (answer) => {
        if (own !== generation) return
        model.isLoading = false
        model.problem = null
        keepingPlace(() => model.rows.page(answer, cursor === undefined))
      },
      (problem) => {
        if (own !== generation) return
        model.isLoading = false
        model.problem = problem.detail
        if (model.rows.order.length > 0) complain(problem)
      }
    )
  }
  const loadMore = () => {
    const { cursor, filter, hasMore } = model.rows
    if (hasMore && !model.isLoading && typeof cursor === "string") load(cursor, filter)
  }
  const reload = (wanted: SessionFilter = model.rows.filter) => load(undefined, wanted)
  const typed = soon(typedMillis, () => {
    if (model.mode.name === "filter") reload({ ...model.rows.filter, q: model.mode.text })
  })
  const recount = () => {
    if (!model.rows.tally.isUnsure || model.isLoading) return
    const own = generation
    asked(
      api.sessions(model.rows.filter, 1),
      (answer) => own === generation && model.rows.recounted(answer),
      () => {}
    )
  }

  const askApprovals = soon(300, () =>
    asked(api.approvals(), ({ approvals }) => {
      model.approvals = approvals
      // One that somebody else answered leaves none chosen: a key that is pressed then must not answer its neighbour.
      if (!approvals.some(({ approval_id }) => approval_id === model.approval)) model.approval = null
    })
  )

  // The house.

  const onPhase = (phase: Phase) => {
    if (phase.name === "refused") return ended(phase.problem)
    model.phase = phase.name === "lost" ? { ...phase, retryAt: phase.retryAt + skewSeconds * 1000 } : phase
    changed()
  }
  const onNews = ({ data, event }: { readonly event: string; readonly data: string }) => {
    switch (event) {
      case "step": {
        const step = JSON.parse(data) as SlimStep
        keepingPlace(() => model.rows.step(step))
        if (step.from === "turning.asking" || step.to === "turning.asking") askApprovals.ask()
        return
      }
      case "removed": {
        const { session_id } = JSON.parse(data) as { readonly session_id: string }
        return keepingPlace(() => model.rows.removed(session_id))
      }
      case "reset":
        // Perhaps another life of the server.
        introduce()
        askApprovals.ask()
        return reload()
      case "live":
        // What happened while nothing was heard was told by now; what was asked for in vain is asked for again.
        watching.recover()
        if (hasNews && model.problem === null) return
        askApprovals.ask()
        reload(hasNews ? model.rows.filter : filter)
        hasNews = true
    }
  }

  introduce()
  const house = follow({ url: api.stepsUrl(), send, onPhase, onEvent: onNews })
  const clock = setInterval(changed, 1_000)
  const recounting = setInterval(recount, recountMillis)

  return {
    model,
    now,
    select,
    say,
    reload,
    filterTyped: typed.again,
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
    act: (order: Order, id: string) => asked(api.act(id, order), ({ note }) => say(note)),
    answer: (decision: Decision) => {
      const one = model.approvals.find(({ approval_id }) => approval_id === model.approval)
      if (one === undefined) return say("Choose one first, with ↑ or ↓.", "bad")
      asked(
        api.answer(one.session_id, one.approval_id, decision),
        ({ note }) => {
          say(note)
          askApprovals.ask()
        },
        (problem) => {
          complain(problem)
          askApprovals.ask()
        }
      )
    },
    stop: () => {
      asking.stop()
      house.stop()
      watching.stop()
      clearInterval(clock)
      clearInterval(recounting)
    }
  }
}
