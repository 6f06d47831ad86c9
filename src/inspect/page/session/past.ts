/**
 * The past of an opened session, as far as it is here. Its steps come all, the oldest first, because each moment is reckoned
 * from the first step on. Of its events, which are most of the bytes, the last ones come first, and earlier ones as they are wanted.
 */
import { batch, signal } from "@preact/signals"
import type { ReadonlySignal, Signal } from "@preact/signals"
import { problemFrom } from "../../client/api.ts"
import type { Problem } from "../../client/api.ts"
import type { Transcript } from "../../client/Transcript.ts"
import type { Events, TranscriptEvent } from "../../sessionContract.ts"

export interface Past {
  /** The first event that is here, and when it was; `null`: all are; `undefined`: none yet. */
  readonly first: ReadonlySignal<{ readonly seq: number; readonly at: number } | null | undefined>
  /** Earlier ones are on their way. */
  readonly isComing: ReadonlySignal<boolean>
  /** Why they did not come. */
  readonly problem: ReadonlySignal<Problem | undefined>
  /** The last events are here, or others were added. */
  readonly look: () => void
  /** Asks for a page of earlier ones, where there are. Gives whether more came. */
  readonly more: () => Promise<boolean>
}

type ReadEvents = (after: number, limit: number) => Promise<Events>

/** The most that the server gives at once. */
const eventsPerPage = 1_000

/** `read`: from the server; `null`: nobody can be asked. */
export const pastOf = (
  conversation: Transcript,
  read: ReadEvents | null,
  onMore: () => void,
  pageSize = eventsPerPage
): Past => {
  const first: Signal<{ readonly seq: number; readonly at: number } | null | undefined> = signal(undefined)
  const isComing = signal(false)
  const problem = signal<Problem | undefined>(undefined)
  const look = () => {
    const earliest = conversation.earliest
    if (earliest === undefined) first.value = null
    else if (earliest.seq !== first.peek()?.seq) first.value = { seq: earliest.seq, at: earliest.at }
  }

  const more = async (): Promise<boolean> => {
    const before = first.peek()?.seq
    if (before === undefined || read === null || isComing.peek()) return false
    isComing.value = true
    problem.value = undefined
    try {
      conversation.prepend(await between(read, Math.max(0, before - 1 - pageSize), before))
      batch(() => {
        onMore()
        look()
      })
      return true
    } catch (cause) {
      problem.value = problemFrom(cause)
      return false
    } finally {
      isComing.value = false
    }
  }
  return { first, isComing, problem, look, more }
}

/** The events with `after < seq < before`. An answer has as many as fit into it. */
export const between = async (
  read: ReadEvents,
  after: number,
  before: number
): Promise<ReadonlyArray<TranscriptEvent>> => {
  const all: Array<TranscriptEvent> = []
  for (let last = after; last < before - 1;) {
    const { events } = await read(last, Math.min(eventsPerPage, before - 1 - last))
    all.push(...events)
    const next = events.at(-1)?.seq
    if (next === undefined) break
    last = next
  }
  return all
}
