/** Loads and follows the session under the cursor, once the cursor rests on it: its detail and its events. */
import type { Detail, TranscriptEvent } from "../../inspect/sessionContract.ts"
import type { Api, Problem } from "../../inspect/client/api.ts"
import { follow } from "../../inspect/client/live.ts"
import type { Following } from "../../inspect/client/live.ts"
import type { Requests } from "./requests.ts"
import { mostEvents, withEvent } from "./Model.ts"
import type { Model, OpenedSession } from "./Model.ts"

/** While a key is held down, the sessions in between are not loaded. */
const restMillis = 150
/** The server reports a change after each step, and a busy session has many. */
const refreshMillis = 300

interface Parts {
  readonly api: Api
  readonly send: typeof fetch
  readonly requests: Requests
  readonly model: Model
  readonly changed: () => void
}

export const makeSessionWatch = ({ api, requests: { delayed, request }, changed, model, send }: Parts) => {
  let following: Following | undefined

  /** Answers for a session that is no longer opened are dropped. */
  const update = (id: string, change: (opened: OpenedSession) => OpenedSession) => {
    if (model.opened?.id !== id) return
    model.opened = change(model.opened)
    changed()
  }
  const failed =
    (id: string) =>
    ({ detail: problem }: Problem) =>
      update(id, (opened) => ({ ...opened, problem }))

  const refresh = delayed(refreshMillis, () => {
    const id = model.opened?.id
    if (id !== undefined)
      request(api.detail(id), (detail) => update(id, (opened) => ({ ...opened, detail, problem: null })), failed(id))
  })

  const start = (id: string, { last_event, last_step }: Detail) => {
    following?.stop()
    following = follow({
      url: api.streamUrl(id),
      after: `e${Math.max(0, last_event - mostEvents)}.s${last_step}`,
      send,
      onPhase: (phase) => {
        if (phase.name === "refused") failed(id)(phase.problem)
      },
      onEvent: ({ data, event }) => {
        if (event === "event") update(id, (opened) => withEvent(opened, JSON.parse(data) as TranscriptEvent))
        // A stream that was reconnected may have missed a change.
        else refresh.start()
      }
    })
  }

  const loadSoon = delayed(restMillis, () => {
    const id = model.opened?.id
    if (id === undefined) return
    const done = (detail: Detail) => {
      if (model.opened?.id !== id) return
      update(id, (opened) => ({ ...opened, detail, problem: null }))
      start(id, detail)
    }
    request(api.detail(id), done, failed(id))
  })

  const stop = () => {
    following?.stop()
    following = undefined
  }

  return {
    stop,
    /** Called when the server is reachable again: a detail that could not be loaded is loaded again. */
    recover: () => {
      if (model.opened !== null && following === undefined) loadSoon.start()
    },
    /** `null`: no session is opened. */
    watch: (id: string | null) => {
      if (model.opened?.id === id) return
      stop()
      model.opened = id === null ? null : { id, detail: null, events: [], problem: null }
      if (id !== null) loadSoon.restart()
    }
  }
}
