/**
 * What happened in a session as lanes over one time axis: its states, turns, talk, tools, steps, processes, approvals and
 * timers. Only data: bars from here to there, and marks at one moment; drawn elsewhere.
 */
import { wordsOfDelay, wordsOfStored } from "../../../client/machineWords.ts"
import type { Approval } from "../../../contract.ts"
import { bytes, plural } from "../../../client/format.ts"
import type { Detail, ProcessSpan, Turn, UseSample } from "../../../sessionContract.ts"
import { toneOf } from "../../../client/tones.ts"
import type { Tone as StateTone } from "../../../client/tones.ts"
import type { Replayed } from "../model/replay.ts"
import { isRestart, timerSpans, troupeEnded } from "../model/timers.ts"
import { takeoverWords } from "../model/owners.ts"
import { isToolRunning } from "../../../client/Transcript.ts"
import type { Item } from "../../../client/Transcript.ts"

/** The colour of something, and the word for it. */
export type Tone = StateTone | "good" | "bad" | "wait" | "quiet" | "talk" | "tool"

export interface Bar {
  readonly from: number
  /** `null`: it goes on. */
  readonly to: number | null
  readonly label: string
  readonly tone: Tone
  /** How high it is, of 1; absent: the whole lane. */
  readonly level?: number
}

export interface Mark {
  readonly at: number
  readonly label: string
  readonly tone: Tone
}

export interface Lane {
  readonly name: string
  readonly bars: ReadonlyArray<Bar>
  readonly marks: ReadonlyArray<Mark>
  /** Measured once a second: no moment of it is an event of the session. */
  readonly isMeasured?: true
}

/** What the lanes are made of. */
export interface LaneInputs {
  readonly detail: Detail
  readonly steps: ReadonlyArray<Replayed>
  readonly transcript: ReadonlyArray<Item>
  readonly samples: ReadonlyArray<UseSample>
  /** What was said and done before this time is not here; absent or `null`: all is. */
  readonly absentBefore?: number | null
  /** Only the first of the steps are here. */
  readonly isRebuilding?: boolean
}

export const lanesOf = ({
  absentBefore = null,
  detail,
  isRebuilding = false,
  samples,
  steps,
  transcript
}: LaneInputs): ReadonlyArray<Lane> => [
  { name: "state", bars: stateBars(detail, steps, isRebuilding), marks: steps.flatMap(restartMark) },
  { name: "turns", bars: detail.turns.map((turn) => turnBar(turn, detail)), marks: [] },
  { name: "text", bars: [...absentBars(detail, absentBefore), ...talkBars(transcript)], marks: [] },
  {
    name: "tools",
    bars: [...absentBars(detail, absentBefore), ...toolBars(transcript, detail.turns)],
    marks: []
  },
  { name: "steps", bars: [], marks: steps.map(stepMark) },
  { name: "process", bars: detail.processes.map(processBar), marks: detail.processes.flatMap(endMark) },
  ...useLanes(samples),
  ...(detail.owners.length === 0 ? [] : [nodeLane(detail)]),
  { name: "approvals", bars: detail.approvals.map(approvalBar), marks: [] },
  ...rows(timerBars(detail, steps)).map((bars, n) => ({ name: n === 0 ? "timers" : "", bars, marks: [] }))
]

/** Timers run beside each other: in as many rows as that takes, and no more than three. */
const rows = (bars: ReadonlyArray<Bar>): ReadonlyArray<ReadonlyArray<Bar>> => {
  const rows: Array<Array<Bar>> = [[]]
  for (const bar of bars) {
    const free = rows.find((row) => (row.at(-1)?.to ?? (row.length === 0 ? 0 : Infinity)) <= bar.from)
    if (free !== undefined) free.push(bar)
    else if (rows.length < 3) rows.push([bar])
    else rows.at(-1)?.push(bar)
  }
  return rows
}

/** Each moment at which something began, ended or happened. */
export const instantsOf = (lanes: ReadonlyArray<Lane>): ReadonlyArray<number> =>
  lanes.flatMap(({ bars, isMeasured, marks }) => [
    ...(isMeasured === true ? [] : bars).flatMap(({ from, to }) => (to === null ? [from] : [from, to])),
    ...marks.map(({ at }) => at)
  ])

const stateBars = (
  { session, why }: Detail,
  steps: ReadonlyArray<Replayed>,
  isRebuilding: boolean
): ReadonlyArray<Bar> => {
  const bars: Array<Bar> = []
  let [from, path] = [session.created_at, steps[0]?.step.from ?? session.substate]
  for (const { step } of steps) {
    if (step.to === path) continue
    bars.push({ from, to: step.at, label: path, tone: toneOf(path) })
    from = step.at
    path = step.to
  }
  if (isRebuilding) {
    // Between what is here and now is what is not: only since when it is in its present state is known.
    const since = Math.max(from, why.wait.since)
    bars.push({ from, to: since, label: "being rebuilt", tone: "quiet" })
    from = since
    path = session.substate
  }
  const closed = path === "closed"
  return [...bars, { from, to: closed ? from : null, label: path, tone: toneOf(path) }]
}

/** Only of a session that had a process or a turn there is a step: for any other one nothing had ended. */
const restartMark = ({ step }: Replayed): ReadonlyArray<Mark> =>
  isRestart(step) ? [{ at: step.at, label: troupeEnded, tone: "bad" }] : []

const turnTones: Readonly<Record<Turn["status"], Tone>> = {
  queued: "wait",
  running: "turning",
  completed: "good",
  interrupted: "quiet",
  failed: "bad",
  timed_out: "bad"
}

const turnBar = ({ ended_at, failure, index, kind, status, submitted_at }: Turn, { line, session }: Detail): Bar => {
  const name = `${kind === "compact" ? "compaction" : "turn"} ${index}`
  // The machine has begun it, and no agent has it.
  if (status === "running" && toneOf(session.substate) === "queued") {
    const place = line === null ? "" : `, number ${line.place} of ${line.waiting} in line`
    return { from: submitted_at, to: null, label: `${name}: waits for a process slot${place}`, tone: "queued" }
  }
  const words = `${status.replace("_", " ")}${failure === null ? "" : `, ${failure.class}`}`
  return { from: submitted_at, to: ended_at, label: `${name}: ${words}`, tone: turnTones[status] }
}

/** An empty lane would say that nothing was said and done. */
const absentBars = ({ session }: Detail, before: number | null): ReadonlyArray<Bar> =>
  before === null || before <= session.created_at
    ? []
    : [{ from: session.created_at, to: before, label: "not here yet: travel or scroll there", tone: "quiet" }]

const talkBars = (transcript: ReadonlyArray<Item>): ReadonlyArray<Bar> =>
  transcript.flatMap((item): ReadonlyArray<Bar> =>
    item.kind === "prompt" || item.kind === "message" || item.kind === "thought"
      ? [{ from: item.at, to: item.until, label: talkWords[item.kind], tone: item.kind === "prompt" ? "idle" : "talk" }]
      : []
  )
const talkWords = { prompt: "prompt", message: "the agent says", thought: "the agent thinks" }

const toolBars = (transcript: ReadonlyArray<Item>, turns: ReadonlyArray<Turn>): ReadonlyArray<Bar> =>
  transcript.flatMap((item): ReadonlyArray<Bar> => {
    if (item.kind !== "tool") return []
    const runs = isToolRunning(item, turns)
    const tone = runs ? "turning" : item.status === "failed" ? "bad" : "tool"
    return [{ from: item.at, to: runs ? null : item.until, label: `${item.title}${runs ? ": runs" : ""}`, tone }]
  })

const stepMark = ({ drift, step }: Replayed): Mark => ({
  at: step.at,
  label: `step ${step.seq}: ${wordsOfStored(step.event.type)}${drift === null ? "" : " (drift)"}`,
  tone: drift === null ? toneOf(step.to) : "bad"
})

const processBar = ({ ended_at, generation, started_at }: ProcessSpan): Bar => ({
  from: started_at,
  to: ended_at,
  label: `process ${generation}`,
  tone: "quiet"
})

const endMark = ({ ended_at, exit, generation, is_failure }: ProcessSpan): ReadonlyArray<Mark> =>
  ended_at === null
    ? []
    : [{ at: ended_at, label: `process ${generation}: ${exit ?? "ended"}`, tone: is_failure ? "bad" : "quiet" }]

/** A second is measured at its end; a longer pause was not measured. */
const longestSample = 2.5

/** Processors, memory and number of its processes, as far as they were measured. */
const useLanes = (samples: ReadonlyArray<UseSample>): ReadonlyArray<Lane> => {
  if (samples.length < 2) return []
  const lane = (
    name: string,
    tone: Tone,
    valueOf: (sample: UseSample) => number,
    words: (sample: UseSample) => string,
    least: number
  ): Lane => {
    const most = samples.reduce((all, sample) => Math.max(all, valueOf(sample)), least)
    const bars = samples.flatMap((sample, n): ReadonlyArray<Bar> => {
      const before = samples[n - 1]
      if (before === undefined || sample.at - before.at > longestSample) return []
      return [{ from: before.at, to: sample.at, label: words(sample), tone, level: valueOf(sample) / most }]
    })
    return { name, bars, marks: [], isMeasured: true }
  }
  const withCount = (words: string, { processes }: UseSample) =>
    `${words}, ${plural(processes, "process", "processes")}`
  return [
    lane(
      "CPU",
      "turning",
      ({ cpu }) => cpu,
      (sample) => withCount(`CPU ${Math.round(sample.cpu * 100)} %`, sample),
      1
    ),
    lane(
      "memory",
      "talk",
      ({ rss_bytes }) => rss_bytes,
      (sample) => withCount(`memory ${bytes(sample.rss_bytes)}`, sample),
      1
    )
  ]
}

/** Which node had it, and the moments at which another one took it. */
const nodeLane = ({ owners, session }: Detail): Lane => ({
  name: "node",
  bars: owners.map(({ at, epoch, node }, n) => ({
    from: at,
    to: owners[n + 1]?.at ?? session.closed_at ?? (session.node === null ? session.last_activity_at : null),
    label: `${node}, epoch ${epoch}`,
    tone: "quiet"
  })),
  marks: owners.flatMap((owner, n) => {
    const before = owners[n - 1]
    return before === undefined
      ? []
      : [{ at: owner.at, label: takeoverWords(before, owner), tone: owner.before === "silent" ? "bad" : "wait" }]
  })
})

const approvalTone = ({ decision, status }: Approval): Tone =>
  status === "pending" ? "wait" : status !== "answered" ? "quiet" : decision === "deny" ? "bad" : "good"

const approvalBar = (approval: Approval): Bar => ({
  from: approval.created_at,
  to: approval.settled_at,
  label: `${approval.title}: ${approval.status === "answered" ? `${approval.decision} by ${approval.decided_by ?? "someone"}` : approval.status}`,
  tone: approvalTone(approval)
})

/** That they ring is the normal way of a session: it hibernates, and is started or taken up again. */
const usual: ReadonlySet<string> = new Set(["hibernateAfter", "backoff", "parkFor", "interruptAgain"])

const timerBars = (detail: Detail, steps: ReadonlyArray<Replayed>): ReadonlyArray<Bar> =>
  timerSpans(steps, detail.timers).map(({ armedAt, dueAt, endedAt, name, rang }) => ({
    from: armedAt,
    to: endedAt,
    label: `${wordsOfDelay(name)}: ${endedAt === null ? "comes" : rang ? "came" : `did not come, ${Math.max(0, dueAt - endedAt).toFixed(1)} s were left`}`,
    tone: endedAt === null ? "wait" : rang && !usual.has(name) ? "bad" : "quiet"
  }))
