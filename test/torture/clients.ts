/** The apps of a torture run: each has one session, submits turns under keys, repeats what got no answer, and reads along. */
import type { Server } from "./Server.ts"

export interface Submitted {
  readonly key: string
  readonly prompt: string
  /** Every turn number that the key was answered with. */
  readonly turns: Set<number>
  /** The statuses that it was answered with, in order. */
  readonly statuses: Array<number>
}

export interface App {
  readonly session: string
  readonly submitted: Array<Submitted>
  /** The id of the last event that its reader got. */
  last: number
  readonly faults: Array<string>
}

const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))
const retryMillis = 200

export const newApp = async (server: Server, nth: number): Promise<App> => {
  const cwd = server.directory
  for (;;) {
    const answer = await server.call("POST", "/sessions", { cwd, permissions: "approve_all" }, `create-${nth}`)
    if (answer?.status === 200 || answer?.status === 201) {
      return { session: String(answer.json.session_id), submitted: [], last: 0, faults: [] }
    }
    if (answer !== null && answer.status < 500) throw new Error(`no session: ${JSON.stringify(answer)}`)
    await pause(retryMillis)
  }
}

/** Submits turns until the time is over, which may come to be earlier, and the last one until it has an answer. */
export const submitTurns = async (server: Server, app: App, nth: number, until: () => number): Promise<void> => {
  for (let turn = nth; Date.now() < until(); turn += 20) {
    const submitted: Submitted = { key: `${nth}-${turn}`, prompt: `turn ${turn}`, turns: new Set(), statuses: [] }
    app.submitted.push(submitted)
    for (;;) {
      const answer = await server.call(
        "POST",
        `/sessions/${app.session}/turn`,
        { prompt: submitted.prompt, queue: true, timeout_s: 60 },
        submitted.key
      )
      if (answer !== null) submitted.statuses.push(answer.status)
      if (typeof answer?.json.turn_index === "number") submitted.turns.add(answer.json.turn_index)
      // Cut off, or not accepted for now: the same key again.
      if (answer !== null && (answer.status < 500 || typeof answer.json.turn_index === "number")) {
        // An agent that keeps dying is left alone for a minute: that is no answer to this key for ever.
        if (answer.status !== 409 && answer.status !== 429) break
      }
      await pause(retryMillis)
      if (Date.now() > until() + 180_000) break
    }
  }
}

/** Reads the session's events and comes back where it was, until it is told to stop. */
export const readEvents = async (server: Server, app: App, stop: AbortSignal): Promise<void> => {
  while (!stop.aborted) {
    try {
      const stream = await server.stream(`/sessions/${app.session}/events?after=${app.last}`, stop)
      let text = ""
      for await (const chunk of stream ?? []) {
        text += chunk
        const frames = text.split("\n\n")
        text = frames.pop() ?? ""
        for (const frame of frames) received(app, frame)
      }
    } catch {
      // The server is gone, or this reader is to stop.
    }
    if (!stop.aborted) await pause(retryMillis)
  }
}

const received = (app: App, frame: string) => {
  const id = /^id: ?(\d+)$/m.exec(frame)?.[1]
  if (id === undefined) return
  if (Number(id) !== app.last + 1) app.faults.push(`event ${id} came after ${app.last}`)
  app.last = Number(id)
}
