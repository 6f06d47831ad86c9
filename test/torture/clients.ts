/** The apps of a torture run: each has one session, submits turns under keys, repeats what got no answer, and reads along. */
import type { Answer } from "./Server.ts"

/** Where an app asks: a server, or any of several. */
export interface Door {
  /** The directory of its sessions. */
  readonly directory: string
  /** `null`: there was no answer. */
  readonly call: (method: string, path: string, body?: unknown, key?: string) => Promise<Answer | null>
  /** `null`: there is none now. */
  readonly stream: (path: string, signal: AbortSignal) => Promise<AsyncIterable<string> | null>
}

export interface Submitted {
  readonly key: string
  readonly prompt: string
  /** Every turn number that the key was answered with. */
  readonly turns: Set<number>
  /** The statuses that it was answered with, in order. */
  readonly statuses: Array<number>
  /** What of the turn's end it was answered with: the same each time. */
  readonly ends: Set<string>
}

export interface App {
  readonly session: string
  readonly submitted: Array<Submitted>
  /** The id of the last event that its reader got. */
  last: number
  /** The last of what its reader got. */
  text: string
  readonly faults: Array<string>
}

const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))
const retryMillis = 200
const textKept = 4_000

export const newApp = async (door: Door, nth: number, asked: object = {}): Promise<App> => {
  const body = { cwd: door.directory, permissions: "approve_all", ...asked }
  for (;;) {
    const answer = await door.call("POST", "/sessions", body, `create-${nth}`)
    if (answer?.status === 200 || answer?.status === 201) {
      return { session: String(answer.json.session_id), submitted: [], last: 0, text: "", faults: [] }
    }
    if (answer !== null && answer.status < 500) throw new Error(`no session: ${JSON.stringify(answer)}`)
    await pause(retryMillis)
  }
}

const endOf = ({ error_class: failure, final_text: text, ok, stop_reason: reason, turn_index: turn }: Answer["json"]) =>
  JSON.stringify([turn, ok, reason, failure, text])

/** Submits one turn, and again under its key until it has an answer, or until it is too late for any. */
export const submitTurn = async (
  door: Door,
  app: App,
  key: string,
  prompt: string,
  giveUpAt: () => number
): Promise<Submitted> => {
  const submitted: Submitted = { key, prompt, turns: new Set(), statuses: [], ends: new Set() }
  app.submitted.push(submitted)
  await askAgain(door, app, submitted, giveUpAt)
  return submitted
}

/** Asks for a turn under its key, which is the same turn however often it is asked for. */
export const askAgain = async (door: Door, app: App, submitted: Submitted, giveUpAt: () => number): Promise<void> => {
  for (;;) {
    const body = { prompt: submitted.prompt, queue: true, timeout_s: 60 }
    const answer = await door.call("POST", `/sessions/${app.session}/turn`, body, submitted.key)
    if (answer !== null) submitted.statuses.push(answer.status)
    if (typeof answer?.json.turn_index === "number") submitted.turns.add(answer.json.turn_index)
    // Cut off, or not accepted for now: the same key again.
    if (answer !== null && (answer.status < 500 || typeof answer.json.turn_index === "number")) {
      // An agent that keeps dying is left alone for a minute: that is no answer to this key for ever.
      if (answer.status !== 409 && answer.status !== 429) {
        if (typeof answer.json.turn_index === "number") submitted.ends.add(endOf(answer.json))
        return
      }
    }
    await pause(retryMillis)
    if (Date.now() > giveUpAt()) return
  }
}

/** Submits turns until the time is over, which may come to be earlier, and the last one until it has an answer. */
export const submitTurns = async (door: Door, app: App, nth: number, until: () => number): Promise<void> => {
  for (let turn = nth; Date.now() < until(); turn += 20) {
    await submitTurn(door, app, `${nth}-${turn}`, `turn ${turn}`, () => until() + 180_000)
  }
}

/** Reads the session's events and comes back where it was, until it is told to stop. */
export const readEvents = async (door: Door, app: App, stop: AbortSignal): Promise<void> => {
  while (!stop.aborted) {
    try {
      const stream = await door.stream(`/sessions/${app.session}/events?after=${app.last}`, stop)
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
  app.text = (app.text + frame).slice(-textKept)
}
