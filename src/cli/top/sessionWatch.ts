/** Follows the session under the cursor, once the cursor rests on it: how it stands, and what happens in it. */
import type { Detail, TranscriptEvent } from "../../inspect/contract.ts"
import type { Api, Problem } from "../../inspect/client/api.ts"
import { follow } from "../../inspect/client/live.ts"
import type { Following } from "../../inspect/client/live.ts"
import type { Asking } from "./requests.ts"
import { mostEvents, withEvent } from "./Model.ts"
import type { Model, Opened } from "./Model.ts"

/** Whoever holds a key down looks at none of the sessions in between. */
const restMillis = 150
/** The server says that something changed after each step, and a busy session has many. */
const refreshMillis = 300

interface Parts {
  readonly api: Api
  readonly send: typeof fetch
  readonly asking: Asking
  readonly model: Model
  readonly changed: () => void
}

export const makeWatching = ({ api, asking: { asked, soon }, changed, model, send }: Parts) => {
  let following: Following | undefined

  /** News of a session that was left in the meantime are dropped. */
  const update = (id: string, change: (opened: Opened) => Opened) => {
    if (model.opened?.id !== id) return
    model.opened = change(model.opened)
    changed()
  }
  const failed =
    (id: string) =>
    ({ detail: problem }: Problem) =>
      update(id, (opened) => ({ ...opened, problem }))

  const refresh = soon(refreshMillis, () => {
    const id = model.opened?.id
    if (id !== undefined)
      asked(api.detail(id), (detail) => update(id, (opened) => ({ ...opened, detail, problem: null })), failed(id))
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
        // A stream that is live again may have lost a change on the way.
        else refresh.ask()
      }
    })
  }

  const open = soon(restMillis, () => {
    const id = model.opened?.id
    if (id === undefined) return
    const done = (detail: Detail) => {
      if (model.opened?.id !== id) return
      update(id, (opened) => ({ ...opened, detail, problem: null }))
      start(id, detail)
    }
    asked(api.detail(id), done, failed(id))
  })

  const stop = () => {
    following?.stop()
    following = undefined
  }

  return {
    stop,
    /** The server is there again: what was asked for in vain is asked for again. */
    recover: () => {
      if (model.opened !== null && following === undefined) open.ask()
    },
    /** `null`: none is to be seen. */
    watch: (id: string | null) => {
      if (model.opened?.id === id) return
      stop()
      model.opened = id === null ? null : { id, detail: null, events: [], problem: null }
      if (id !== null) open.again()
    }
  }
}
