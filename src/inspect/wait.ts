/**
 * What a session waits for, who owes it, and what comes by itself: `waitOf` of where it stands.
 *
 * Pure. `stands` has a line for each state that the machine can rest in (a test compares), in the words of the table
 * and of "why is it not moving". Where a timer leads is read off the machine's own arrows.
 */
import type { AnyStateNode } from "xstate"
import { sessionMachine } from "../../machines/session/machine.ts"
import type { Party, Wait } from "./contract.ts"

/** A session at rest between two steps. Times are milliseconds since 1970. */
export interface Standing {
  /** Such as `turning.asking`. */
  readonly substate: string
  /** Since when it stands there. */
  readonly since: number
  /** The turn that runs, or ran last; 0 before the first. */
  readonly turn: number
  /** Whether it has a process, as the machine's context has it. */
  readonly process: boolean
  /** What the oldest open approval asks leave for; `null` where none is open. */
  readonly asks: string | null
  /** The timer that is due first. */
  readonly next: NextTimer | null
}

export interface NextTimer {
  /** As armed: `xstate.after.hibernateAfter.session.idle.awake`, `approval apr_…`, `quiet`. */
  readonly timer: string
  readonly dueAt: number
}

interface Stand {
  readonly what: (standing: Standing) => string
  readonly who: Party
}

const endOfTurn = ({ turn }: Standing) => `the end of turn ${turn}`

export const standingOf: Readonly<Record<string, Stand>> = {
  "idle.asleep": { what: () => "a turn", who: "app" },
  "idle.awake": { what: () => "a turn", who: "app" },
  "idle.waking": { what: () => "its process to come back", who: "agent" },
  "idle.backingOff": { what: () => "the end of its backoff", who: "troupe" },
  "idle.parked": { what: () => "an operator to unpark it, or its time", who: "operator" },
  "turning.queued": { what: () => "a free process slot", who: "troupe" },
  "turning.starting": { what: () => "its agent to get ready", who: "agent" },
  "turning.running": { what: endOfTurn, who: "agent" },
  "turning.asking": { what: ({ asks }) => (asks === null ? "an answer" : `an answer to: ${asks}`), who: "person" },
  "turning.probing": { what: () => "a sign of life from its agent", who: "agent" },
  "turning.interrupting": { what: (standing) => `${endOfTurn(standing)}, which is interrupted`, who: "agent" },
  "retiring.asking": { what: () => "its process to exit, as it was asked to", who: "agent" },
  "retiring.terminating": { what: () => "its process to end on SIGTERM", who: "agent" },
  "retiring.killing": { what: () => "the kernel to say that no process of it is left", who: "kernel" },
  closed: { what: () => "nothing any more", who: "nobody" }
}

const unknown: Stand = { what: ({ substate }) => `what leads out of ${substate}`, who: "troupe" }

export const waitOf = (standing: Standing): Wait => {
  const { what, who } = standingOf[standing.substate] ?? unknown
  const { next, since } = standing
  return {
    what: what(standing),
    who,
    since: since / 1000,
    next:
      next === null
        ? null
        : { timer: nameOfTimer(next.timer), at: next.dueAt / 1000, to: leadsTo(next.timer, standing.process) }
  }
}

/** As the machine names its delays; the two that are not the machine's own go by their setting. */
export const nameOfTimer = (timer: string): string => {
  if (timer.startsWith("approval ")) return "approvalTimeout"
  if (timer === "quiet") return "postToolQuiet"
  return after.exec(timer)?.[1] ?? timer
}

const after = /^xstate\.after\.([^.]+)\.session\.?(.*)$/

/** The state that the timer leads into; `null` where it stays, or where more than the process decides it. */
const leadsTo = (timer: string, process: boolean): string | null => {
  if (timer.startsWith("approval ")) return "turning.running"
  if (timer === "quiet") return "turning.probing"
  const of = after.exec(timer)?.[2]
  const node = of === undefined ? undefined : nodeAt(of)
  for (const { guard, target } of node?.transitions.get(timer) ?? []) {
    if (guard === "hasProcess" && !process) continue
    // What the agent has said by then may lead elsewhere; this is where silence leads.
    if (guard === "saidAborted" || guard === "saidAnswered") continue
    if (guard !== undefined && guard !== "hasProcess") return null
    return target?.[0] === undefined ? null : entered(target[0])
  }
  return null
}

const nodeAt = (path: string): AnyStateNode | undefined =>
  path.split(".").reduce<AnyStateNode | undefined>((node, key) => node?.states[key], sessionMachine.root)

/** A compound state is entered by its first. */
const entered = (node: AnyStateNode): string => {
  const [first] = node.type === "compound" ? node.initial.target : []
  return first === undefined ? node.path.join(".") : entered(first)
}
