/**
 * What a session waits for, who owes it, and what comes by itself: `waitOf` of where it stands.
 *
 * Pure. `stands` has a line for each state that the machine can rest in (a test compares), in the words of the table
 * and of "why is it not moving". Where a timer leads is read off the machine's own arrows.
 */
import type { AnyStateNode } from "xstate"
import { sessionMachine } from "../../machines/session/machine.ts"
import { infoOf, stateInfo } from "../../machines/session/stateInfo.ts"
import type { WaitsFor } from "../../machines/session/states.ts"
import type { Wait } from "./contract.ts"

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

const endOfTurn = ({ turn }: Standing) => `the end of turn ${turn}`

/** In the words of a sentence that begins with "It waits for". */
const waitWords: Readonly<Record<WaitsFor, (standing: Standing) => string>> = {
  turn: () => "a turn",
  slot: () => "a free process slot",
  agentStart: () => "its agent to get ready",
  agentReturn: () => "its process to come back",
  turnEnd: endOfTurn,
  interruptedEnd: (standing) => `${endOfTurn(standing)}, which is interrupted`,
  lifeSign: () => "a sign of life from its agent",
  answer: ({ asks }) => (asks === null ? "an answer" : `an answer to: ${asks}`),
  backoff: () => "the end of its backoff",
  unpark: () => "an operator to unpark it, or its time",
  exit: () => "its process to exit, as it was asked to",
  termination: () => "its process to end on SIGTERM",
  kernel: () => "the kernel to say that no process of it is left",
  nothing: () => "nothing any more"
}

export const waitOf = (standing: Standing): Wait => {
  const info = infoOf(standing.substate)
  const { next, since } = standing
  return {
    what: info === undefined ? `what leads out of ${standing.substate}` : waitWords[info.waitsFor](standing),
    who: info?.owedBy ?? "troupe",
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
  if (timer.startsWith("approval ")) return targetOf("approval.settled")
  if (timer === "quiet") return targetOf("agent.quiet")
  const of = after.exec(timer)?.[2]
  const node = of === undefined ? undefined : nodeAt(of)
  for (const { guard, target } of node?.transitions.get(timer) ?? []) {
    if (guard === "hasProcess" && !process) continue
    // What the agent has said by then may lead elsewhere; this is where silence leads.
    if (dependsOnWords(guard)) continue
    if (guard !== undefined && guard !== "hasProcess") return null
    return target?.[0] === undefined ? null : entered(target[0])
  }
  return null
}

/** Where the first state that draws an arrow for the event goes by it, if the agent has said nothing that decides. */
const targetOf = (event: string): string | null => {
  for (const { name } of Object.values(stateInfo)) {
    const arrow = nodeAt(name)
      ?.transitions.get(event)
      ?.find(({ guard }) => !dependsOnWords(guard))
    if (arrow?.target?.[0] !== undefined) return entered(arrow.target[0])
  }
  return null
}

const dependsOnWords = (guard: unknown): boolean => guard === "saidAborted" || guard === "saidAnswered"

const nodeAt = (path: string): AnyStateNode | undefined =>
  path.split(".").reduce<AnyStateNode | undefined>((node, key) => node?.states[key], sessionMachine.root)

/** A compound state is entered by its first. */
const entered = (node: AnyStateNode): string => {
  const [first] = node.type === "compound" ? node.initial.target : []
  return first === undefined ? node.path.join(".") : entered(first)
}
