/**
 * Why a session is not moving, in a sentence or two for a person: what it waits for and since when, when its agent was
 * last heard, and which timer fires next.
 */
import { named } from "../../domain/named.ts"
import { infoOf } from "../../../machines/session/stateInfo.ts"
import type { StateInfo } from "../../../machines/session/stateInfo.ts"
import type { Circuit, Outcome, Wait } from "../contract.ts"
import type { Detail } from "../sessionContract.ts"
import { age } from "./age.ts"

export interface Circumstances {
  readonly substate: string
  readonly wait: Wait
  /** Turns that wait behind the running one. */
  readonly queued: number
  /** Why it retires, backs off, is parked or closed, as the machine has it. */
  readonly reason: string
  /** When its process last wrote a byte, in seconds; `null`: not yet, or there is no process. */
  readonly lastByteAt: number | null
  readonly outcome: Outcome | null
  readonly circuit: Circuit | null
  readonly line: Detail["line"]
  /** In seconds. */
  readonly now: number
}

/** `now` in seconds: its ages go on between two answers of the server. */
export const circumstancesOf = (
  {
    line,
    session,
    snapshot,
    why
  }: Pick<Detail, "line" | "session" | "snapshot"> & {
    readonly why: Pick<Detail["why"], "last_byte_at" | "queued" | "wait">
  },
  now: number
): Circumstances => {
  const reason = snapshot.context["reason"]
  return {
    substate: session.substate,
    wait: why.wait,
    queued: why.queued,
    reason: typeof reason === "string" ? reason : "",
    lastByteAt: why.last_byte_at,
    outcome: session.last_outcome,
    circuit: session.circuit,
    line,
    now
  }
}

export const sentenceOf = (circumstances: Circumstances): string => {
  const { now, queued, reason, substate, wait } = circumstances
  const info = infoOf(substate)
  const closed = info?.waitsFor === "nothing"
  const why = closed ? reason : givesReason(info) ? reason : ""
  return [
    closed
      ? `Closed ${age(now - wait.since)} ago${reason === "" ? "." : `: ${withFullStop(reason)}`}`
      : waits(circumstances, info),
    closed || why === "" ? "" : `Why: ${withFullStop(why)}`,
    lastOutcome(circumstances, info, why),
    holdUp(circumstances, info),
    wait.who === "agent" ? lastHeard(circumstances) : "",
    closed ? "" : wait.next === null ? withoutTimer(info) : nextOf(wait.next, now, queued),
    queued === 0 ? "" : queued === 1 ? "1 turn waits in line." : `${queued} turns wait in line.`
  ]
    .filter((part) => part !== "")
    .join(" ")
}

const waits = ({ line, now, wait }: Circumstances, info: StateInfo | undefined): string => {
  if (wait.tool !== null) {
    const { more, since, title } = wait.tool
    const others = more === 0 ? "" : more === 1 ? ", and 1 more tool runs" : `, and ${more} more tools run`
    return `${named(title)} has run for ${age(now - since)}${others}.`
  }
  const since = age(now - wait.since)
  const waited = info?.waitsFor === "answer" ? `asked ${since} ago` : `${since} so far`
  return `Waits for ${wait.what} (${waited}).${line === null ? "" : ` ${held(line, now)}`}`
}

const mostHolders = 5

/** Who has the slots, so that a person knows whom to ask. */
const held = ({ holders, others, size }: NonNullable<Detail["line"]>, now: number): string => {
  const shown = holders
    .slice(0, mostHolders)
    .map(({ app, session_id, since }) => `${session_id} of ${app} (for ${age(now - since)})`)
  const rest = holders.length - shown.length
  const all = [
    ...shown,
    ...(rest === 0 ? [] : [`${rest} more`]),
    ...(others === 0 ? [] : [others === 1 ? "1 session of another app" : `${others} sessions of other apps`])
  ]
  const slots = size === 1 ? "The only slot is" : `The ${size} slots are`
  return all.length === 0 ? "" : `${slots} held by ${all.join(", ")}.`
}

const ends: Readonly<Record<Outcome["status"], string>> = {
  completed: "was completed",
  interrupted: "was interrupted",
  failed: "failed",
  timed_out: "ran out of time"
}

/** How the last turn ended is of interest while no other one runs. What is said already is not said again. */
const lastOutcome = ({ now, outcome }: Circumstances, info: StateInfo | undefined, said: string): string => {
  if (outcome === null || info?.tags.has("turnOpen") === true) return ""
  const { at, failure, status, turn } = outcome
  const what = `Turn ${turn} ${ends[status]} ${age(now - at)} ago`
  if (failure === null || status === "interrupted") return `${what}.`
  return failure.message === said
    ? `${what} (${failure.class}).`
    : `${what} (${failure.class}): ${withFullStop(failure.message)}`
}

/** An open circuit holds up what has no process yet. */
const holdUp = ({ circuit, now }: Circumstances, info: StateInfo | undefined): string =>
  circuit === null || circuit.until <= now || info?.process === "up" || info?.waitsFor === "nothing"
    ? ""
    : `Its agent is not started for another ${age(circuit.until - now)}, because its starts kept failing: ${withFullStop(circuit.reason)}`

const givesReason = (info: StateInfo | undefined): boolean =>
  info?.process === "parked" || info?.process === "backing_off" || info?.process === "stopping"

const lastHeard = ({ lastByteAt, now, substate }: Circumstances): string => {
  if (lastByteAt !== null) return `Its agent was last heard ${age(now - lastByteAt)} ago.`
  return infoOf(substate)?.process === "stopping" ? "" : "Its agent has said nothing yet."
}

/** What happens next where no timer is armed. */
const withoutTimer = (info: StateInfo | undefined): string =>
  info?.waitsFor === "turn" && info.process === "none" ? "No process runs meanwhile; the next turn starts one." : ""

/** What the timer will do, and when. */
const nextOf = ({ at, timer, to }: NonNullable<Wait["next"]>, now: number, queued: number): string => {
  const when = at <= now ? "any moment now" : `in ${age(at - now)}`
  // Nothing is tried again where no turn waits for it.
  if (timer === "parkFor" && queued > 0) return `By itself it goes on ${when}.`
  const sentence = timerSentences[timer]
  if (sentence !== undefined) return sentence(when)
  return `${timer} is due ${when}${to === null ? "." : ` and leads to ${to}.`}`
}

const timerSentences: Readonly<Record<string, (when: string) => string>> = {
  abortGrace: (when) => `It said that the turn was aborted: if it says no more the turn ends ${when}.`,
  approvalTimeout: (when) => `Unanswered ${when} it is declined.`,
  backoff: (when) => `It is started again ${when}.`,
  exitWithin: (when) => `Otherwise it gets a SIGTERM ${when}.`,
  hibernateAfter: (when) => `Without one its process is put to sleep ${when}.`,
  interruptAgain: (when) => `It is asked again ${when}.`,
  interruptWithin: (when) => `Without an answer its process is retired ${when}.`,
  killAgain: (when) => `It is killed again ${when}.`,
  parkFor: (when) => `It takes turns again ${when}.`,
  poolWait: (when) => `Without one the turn fails ${when}.`,
  postToolQuiet: (when) => `If it stays silent it is asked for a sign of life ${when}.`,
  startWithin: (when) => `If it does not, it is ended ${when}.`,
  terminateWithin: (when) => `Otherwise it is killed ${when}.`,
  turnWithin: (when) => `The turn's time is up ${when}.`
}

const withFullStop = (text: string): string => (/[.!?…\]]$/.test(text) ? text : `${text}.`)
