/**
 * The processes of a session, from its steps: when each was started, when no process of it was left, and why it ended.
 *
 * A step does not say which process it belongs to. Each start adds one to the generation, so generations are counted back
 * from the latest.
 */
import { infoOf } from "../../../machines/session/stateInfo.ts"
import type { StepRecord } from "../../services/Inspection.ts"
import type { ProcessSpan } from "../sessionContract.ts"
import { nameOfTimer } from "../wait.ts"

/** What the machine's context has of the latest process. */
export interface LatestProcess {
  readonly generation: number
  readonly process: boolean
  readonly upSince: number | null
}

/** Oldest first. */
export const spansOf = (
  steps: ReadonlyArray<StepRecord>,
  { generation, process, upSince }: LatestProcess
): ReadonlyArray<ProcessSpan> => {
  const starts = steps.filter(isStart).length
  const spans: Array<ProcessSpan> = []
  let next = generation - starts + 1
  let open: OpenSpan | null = null

  const close = (endedAt: number | null) => {
    if (open === null) return
    const { death, exit, generation, isFailure, startedAt } = open
    spans.push({
      generation,
      started_at: startedAt / 1000,
      ended_at: endedAt === null ? null : endedAt / 1000,
      exit: endedAt === null ? null : (exit ?? "It ended."),
      is_failure: endedAt !== null && isFailure,
      death: endedAt === null ? null : death
    })
    open = null
  }

  for (const step of steps) {
    if (open !== null) {
      const reason = exitReason(step)
      if (open.exit === null && reason !== null) {
        open.exit = reason
        open.isFailure = isDeath(step) || isFailedRetirement(step)
      }
      open.death ??= deathIn(step)
      if (step.event.type === "process.gone" || step.event.type === "process.lost") close(step.at)
    }
    if (!isStart(step)) continue
    close(step.at)
    open = { ...unended, generation: next++, startedAt: step.at }
  }
  // It was started before the first of the steps that were read.
  if (process && open === null && upSince !== null) open = { ...unended, generation, startedAt: upSince }
  close(null)
  return spans
}

interface OpenSpan {
  readonly generation: number
  readonly startedAt: number
  exit: string | null
  isFailure: boolean
  death: ProcessSpan["death"]
}

const unended = { exit: null, isFailure: false, death: null }

const isDeath = ({ event }: StepRecord): boolean => event.type === "process.exited" || event.type === "process.failed"

/** One that is put to sleep, closed or renewed did nothing wrong. */
const isFailedRetirement = ({ event }: StepRecord): boolean =>
  // Where Troupe itself ended, its process ended with it.
  (event.type !== "process.lost" && isFailure(event["failure"])) ||
  failedTimers.has(event.type.startsWith("xstate.after.") ? nameOfTimer(event.type) : "")

const failedTimers: ReadonlySet<string> = new Set(["startWithin", "turnWithin", "interruptWithin"])

/** What the kernel said of its end, and its last words, where it ended by itself or was killed by another. */
const deathIn = (step: StepRecord): ProcessSpan["death"] => {
  if (!isDeath(step)) return null
  const { exit, failure } = step.event as { readonly exit?: unknown; readonly failure?: unknown }
  const { code = null, signal = null } = isRecord(exit) ? exit : {}
  const stderr = isRecord(failure) ? failure["stderr"] : undefined
  return {
    code: typeof code === "number" ? code : null,
    signal: typeof signal === "string" ? signal : null,
    stderr: typeof stderr === "string" ? stderr : ""
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null

const isRetiring = (state: string): boolean => infoOf(state)?.tags.has("retiring") === true

const isStart = ({ commands }: StepRecord): boolean => commands.includes("startProcess")

/** Why the process ends, as far as this step says; `null` where it does not. */
const exitReason = ({ event, from, to }: StepRecord): string | null => {
  const failure = event["failure"]
  const failureText = isFailure(failure) ? failure.message : null
  switch (event.type) {
    case "process.exited":
    case "process.failed":
      return failureText
    case "process.lost":
      return failureText ?? "Troupe itself ended, and the process with it."
    default:
  }
  if (!isRetiring(to) || isRetiring(from)) return null
  if (answered(event)) return "It was retired: its turn had its answer and never ended."
  if (event.type.startsWith("xstate.after.")) {
    const timer = nameOfTimer(event.type)
    return retiredBy[timer] ?? `It was retired: ${timer} was over.`
  }
  const reason = failureText ?? event["reason"]
  return typeof reason === "string" && reason !== "" ? `It was retired: ${reason}` : `It was retired (${event.type}).`
}

const retiredBy: Readonly<Record<string, string>> = {
  hibernateAfter: "It was put to sleep: nobody had asked it anything for a while.",
  startWithin: "It was retired: it did not get ready in time.",
  turnWithin: "It was retired: its turn overran its deadline.",
  interruptWithin: "It was retired: it did not answer an interrupt."
}

const isFailure = (value: unknown): value is { readonly message: string } =>
  typeof value === "object" && value !== null && "message" in value && typeof value.message === "string"

/** A deadline found the agent's answer complete, or Troupe 0.1.0 stored that in its place. */
const answered = ({ said, type }: StepRecord["event"]): boolean =>
  type === "turn.answered" ||
  (typeof said === "object" && said !== null && "answered" in said && said.answered === true)
