/**
 * Why a session is not moving, in a sentence or two for a person: what it waits for and since when, when its agent was
 * last heard, and which timer fires next.
 */
import { infoOf } from "../../../machines/session/stateInfo.ts"
import type { StateInfo } from "../../../machines/session/stateInfo.ts"
import type { Wait } from "../contract.ts"
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
  /** In seconds. */
  readonly now: number
}

export const sentenceOf = (circumstances: Circumstances): string => {
  const { now, queued, reason, substate, wait } = circumstances
  const info = infoOf(substate)
  if (info?.waitsFor === "nothing")
    return `Closed ${age(now - wait.since)} ago${reason === "" ? "." : `: ${withFullStop(reason)}`}`
  const waited = info?.waitsFor === "answer" ? `asked ${age(now - wait.since)} ago` : `${age(now - wait.since)} so far`
  return [
    `Waits for ${wait.what} (${waited}).`,
    givesReason(info) && reason !== "" ? `Why: ${withFullStop(reason)}` : "",
    wait.who === "agent" ? lastHeard(circumstances) : "",
    wait.next === null ? withoutTimer(info) : nextOf(wait.next, now),
    queued === 0 ? "" : queued === 1 ? "1 turn waits in line." : `${queued} turns wait in line.`
  ]
    .filter((part) => part !== "")
    .join(" ")
}

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
const nextOf = ({ at, timer, to }: NonNullable<Wait["next"]>, now: number): string => {
  const when = at <= now ? "any moment now" : `in ${age(at - now)}`
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
  parkFor: (when) => `By itself it is tried again ${when}.`,
  poolWait: (when) => `Without one the turn fails ${when}.`,
  postToolQuiet: (when) => `If it stays silent it is asked for a sign of life ${when}.`,
  startWithin: (when) => `If it does not, it is ended ${when}.`,
  terminateWithin: (when) => `Otherwise it is killed ${when}.`,
  turnWithin: (when) => `The turn's time is up ${when}.`
}

const withFullStop = (text: string): string => (/[.!?…\]]$/.test(text) ? text : `${text}.`)
