/**
 * One opened session: what is known of it, and the moment that is shown.
 *
 * A moment is a count of steps: 0 is before the first, all of them is now. What is shown (the chart, the context, the
 * marks on the axis) follows the moment; live, pinned by time travel, or only pointed at on the axis.
 */
import { computed, signal } from "@preact/signals"
import { initialContext } from "../../../../machines/session/events.ts"
import { readChart } from "../../chart/read.ts"
import type { Done, Me, Opened } from "../../contract.ts"
import type {
  Detail,
  Diagnosis,
  Events,
  ExportFormat,
  Hits,
  Processes,
  Step,
  TranscriptEvent,
  Turn,
  Turns,
  UseSample,
  Wire
} from "../../sessionContract.ts"
import type { Problem } from "../../client/api.ts"
import { now } from "../clock.ts"
import type { Phase } from "../../client/live.ts"
import { countsAfter, visitsAfter } from "./model/counts.ts"
import type { Other } from "./model/compare.ts"
import { failedMoments } from "./model/outline.ts"
import { machineOf, Replay, storedIn } from "./model/replay.ts"
import type { Replayed } from "./model/replay.ts"
import { Transcript, withPrompts } from "../../client/Transcript.ts"
import { seldom } from "./model/seldom.ts"
import { changes, pathOf } from "./model/value.ts"
import { axisOf, inOrder, lastAtOrBefore } from "./time/axis.ts"
import type { View } from "./time/axis.ts"
import { pastOf } from "./past.ts"
import { instantsOf, lanesOf } from "./time/lanes.ts"

/** What the server can be asked for or told to do; `null` for an exported session, which has no server. */
export interface SessionApi {
  readonly isAdmin: boolean
  readonly wire: (seq: number) => Promise<Wire>
  readonly search: (query: string, after: string | null) => Promise<Hits>
  readonly processes: () => Promise<Processes>
  /** Those of a higher number than `after`, the oldest first. */
  readonly turns: (after: number, limit: number) => Promise<Turns>
  readonly why: () => Promise<Diagnosis>
  readonly events: (after: number, limit: number) => Promise<Events>
  readonly act: (order: "interrupt" | "close" | "unpark") => Promise<Done>
  /** Succeeds when the turn is accepted. */
  readonly submit: (prompt: string) => Promise<Done>
  /** Another session, to compare with. */
  readonly other: (id: string) => Promise<Other>
  /** Sends a turn again that did not work. */
  readonly resend: (turn: number) => Promise<Done>
  /** Succeeds when the agent has the words. */
  readonly steer: (text: string) => Promise<Done>
  readonly compact: () => Promise<Done>
  readonly fork: (turn: number) => Promise<Opened>
  readonly exportUrl: (format: ExportFormat, texts: boolean) => string
}

/** The clock of the page may be a little behind the last thing that happened. */
const upTo = (time: number, instants: ReadonlyArray<number>): ReadonlyArray<number> =>
  time > (instants.at(-1) ?? 0) ? [...instants, time] : instants

/** Between two changes of the axis for what is said or measured, which come with the clock's tick where that ticks. */
const axisMillis = 1_500
/** An hour. */
const mostSamples = 3_600

export const createStore = (bounds: Me["bounds"], api: SessionApi | null) => {
  const machine = machineOf(bounds)
  const replay = new Replay(machine)
  const conversation = new Transcript()

  const detail = signal<Detail | undefined>(undefined)
  const problem = signal<Problem | undefined>(undefined)
  /** Of a turn that runs, asked while it is looked at. */
  const diagnosis = signal<Diagnosis | undefined>(undefined)
  /** What its processes used, as far as it was measured while somebody looked. */
  const samples = signal<ReadonlyArray<UseSample>>([])
  /** Those before the detail's, as far as somebody asked for them. */
  const olderTurns = signal<ReadonlyArray<Turn>>([])
  const phase = signal<Phase>({ name: "connecting" })
  const steps = signal<ReadonlyArray<Replayed>>([])
  const events = signal(conversation.items)
  const past = pastOf(conversation, api?.events ?? null, () => {
    events.value = conversation.items
  })
  /** The steps up to the session's opening are not all here yet. */
  const isBegun = signal(api === null)
  /** The moment that time travel shows; `null` is live. */
  const cursor = signal<number | null>(null)
  /** The time on the axis that is pointed at. */
  const pointed = signal<number | null>(null)
  const selected = signal<string | null>(null)
  const tab = signal("transcript")
  /** The key of the item of the transcript that a link or a search leads to. */
  const spot = signal<string | null>(null)
  /** The moment that others are compared with; `null`: none. */
  const kept = signal<number | null>(null)
  /** What is looked for in it. */
  const query = signal("")
  /** What is typed for the next turn. */
  const draft = signal("")
  /** The part of the axis that is seen; `null` is all of it. */
  const view = signal<View | null>(null)

  const times = computed(() => steps.value.map(({ step }) => step.at))
  const moment = computed(() => {
    const at = pointed.value
    if (at !== null) return lastAtOrBefore(times.value, at) + 1
    return cursor.value ?? steps.value.length
  })
  const isLive = computed(() => cursor.value === null && pointed.value === null)
  /** So many of the steps are here, of so many that there are, while the others come; `null`: all are here. */
  const rebuilding = computed(() => {
    const last = detail.value?.last_step ?? 0
    const here = steps.value.at(-1)?.step.seq ?? 0
    const isComing = !isBegun.value || ["connecting", "catching-up"].includes(phase.value.name)
    return isComing && here < last ? { here, last } : null
  })
  /** While its past is rebuilt, the present is what the detail says. */
  const present = computed(() =>
    isLive.value && (steps.value.length === 0 || rebuilding.value !== null) ? detail.value : undefined
  )
  const snapshot = computed(() =>
    present.value === undefined
      ? replay.at(Math.min(moment.value, steps.value.length))
      : (storedIn(machine, present.value.snapshot) ?? replay.at(0))
  )
  const active = computed(() => present.value?.session.substate ?? pathOf(snapshot.value.value))
  /** The step that led to the moment; `undefined`: there is none, or it is not here yet. */
  const last = computed(() => (present.value === undefined ? steps.value[moment.value - 1] : undefined))
  const transcript = computed(() => {
    const first = past.first.value
    if (first === undefined) return []
    // An exported session has no more than its file has.
    const from = api === null ? 0 : (first?.at ?? 0)
    return withPrompts(events.value, detail.value?.turns ?? [], conversation.prompts, from)
  })
  // A message that is being said makes its bar longer with each piece, and all of the axis with it.
  const said = seldom(transcript, axisMillis, now)
  const measured = seldom(samples, axisMillis, now)
  const lanes = computed(() =>
    detail.value === undefined
      ? []
      : lanesOf({
          detail: detail.value,
          steps: steps.value,
          transcript: said.value,
          samples: measured.value,
          isRebuilding: rebuilding.value !== null,
          absentBefore: api === null ? null : (past.first.value?.at ?? null)
        })
  )
  const turns = computed(() => {
    const last = detail.value?.turns ?? []
    const first = last[0]?.index ?? Infinity
    return [...olderTurns.value.filter(({ index }) => index < first), ...last]
  })
  const failures = computed(() => failedMoments(steps.value, turns.value))
  const isOver = computed(() => detail.value?.session.state === "closed")
  const instants = computed(() => inOrder(instantsOf(lanes.value)))
  const axis = computed(() => axisOf(isOver.value ? instants.value : upTo(now.value, instants.value)))
  /** Where the replay, all of it, ends elsewhere than the ledger. */
  const drift = computed(() => {
    const current = detail.value
    const count = steps.value.length
    if (current === undefined || steps.value[count - 1]?.step.seq !== current.last_step) return []
    const rebuilt = replay.at(count)
    const { value } = current.snapshot
    // A field that a later version added to the context has its initial value, as where a session is restored.
    const context = { ...initialContext, ...current.snapshot.context }
    return changes({ state: pathOf(value), context }, { state: pathOf(rebuilt.value), context: rebuilt.context })
  })
  const drifts = computed(() => steps.value.filter((each) => each.drift !== null))

  return {
    machine,
    chart: readChart(machine),
    api,
    detail,
    problem,
    diagnosis,
    samples,
    /** In a window of one's own time: those that the server has forgotten stay. */
    measured: (newer: ReadonlyArray<UseSample>) => {
      const first = newer[0]?.at ?? Infinity
      samples.value = [...samples.peek().filter(({ at }) => at < first), ...newer].slice(-mostSamples)
    },
    phase,
    past,
    isBegun,
    steps,
    cursor,
    pointed,
    selected,
    tab,
    spot,
    kept,
    query,
    draft,
    view,
    moment,
    isLive,
    rebuilding,
    snapshot,
    active,
    last,
    transcript,
    olderTurns,
    turns,
    failures,
    lanes,
    axis,
    isOver,
    drift,
    drifts,
    counts: computed(() => countsAfter(steps.value, moment.value)),
    visits: computed(() => visitsAfter(steps.value, moment.value)),
    /** The snapshot after so many steps. */
    at: (count: number) => replay.at(count),
    /** All that is stored of it is here. */
    isWhole: computed(() => {
      const known = detail.value
      // With each draw of the stream.
      const [first] = [steps.value[0]?.step.seq ?? 1, events.value]
      if (api === null) return true
      if (known === undefined || first > 1 || (steps.value.at(-1)?.step.seq ?? 0) < known.last_step) return false
      return known.last_event === 0 || (conversation.firstSeq <= 1 && conversation.lastSeq >= known.last_event)
    }),
    prompts: () => conversation.prompts,
    /** The key of the item of the transcript that a stored event is in. */
    itemOf: (seq: number) => conversation.keyOf(seq),
    lastIds: () => ({ step: steps.value.at(-1)?.step.seq ?? 0, event: conversation.lastSeq }),
    take: (newSteps: ReadonlyArray<Step>, newEvents: ReadonlyArray<TranscriptEvent>) => {
      if (newSteps.length > 0) {
        replay.append(newSteps)
        steps.value = [...replay.steps]
      }
      if (newEvents.length > 0) {
        conversation.append(newEvents)
        events.value = conversation.items
        past.look()
      }
    },
    /** Past the last step is live again. */
    travel: (to: number) => {
      pointed.value = null
      spot.value = null
      cursor.value = to >= steps.value.length ? null : Math.max(0, to)
    },
    goLive: () => {
      pointed.value = null
      spot.value = null
      cursor.value = null
    }
  }
}

export type Store = ReturnType<typeof createStore>
