/**
 * What a session waits for, who can bring it about, and which timer fires next: `waitOf`, a pure function of its summary.
 *
 * The machine's states say what they wait for (`stateInfo`); here are the words for it, of the table and of "why is it
 * not moving". Where a timer leads is read off the machine's transitions.
 */
import type { AnyStateNode } from "xstate"
import { sessionMachine } from "../../machines/session/machine.ts"
import { delayName, infoOf, stateInfo } from "../../machines/session/stateInfo.ts"
import { named } from "../domain/named.ts"
import type { WaitsFor } from "../../machines/session/states.ts"
import type { Wait } from "./contract.ts"

/** A session between two steps. Times are milliseconds since 1970. */
export interface WaitingSession {
  /** Such as `turning.asking`. */
  readonly substate: string
  /** When it entered the substate. */
  readonly since: number
  /** The turn that runs, or ran last; 0 before the first. */
  readonly turn: number
  /** Whether it has a process, as the machine's context has it. */
  readonly process: boolean
  /** The title of the oldest pending approval; `null` where none is pending. */
  readonly asks: string | null
  /** The timer that is due first. */
  readonly next: NextTimer | null
  /** The tools of the running turn, the oldest first; absent: not known. */
  readonly tools?: ReadonlyArray<{ readonly title: string; readonly since: number }>
  /** Its place in the line for a slot; absent or `null`: not known, or it waits for none. */
  readonly line?: { readonly place: number; readonly waiting: number } | null | undefined
}

export interface NextTimer {
  /** As armed: `xstate.after.hibernateAfter.session.idle.awake`, `approval apr_…`, `quiet`. */
  readonly timer: string
  readonly dueAt: number
}

const endOfTurn = ({ turn }: WaitingSession) => `the end of turn ${turn}`

/** Read after "Waits for". */
const waitWords: Readonly<Record<WaitsFor, (session: WaitingSession) => string>> = {
  turn: () => "a turn",
  slot: ({ line }) =>
    line == null ? "a free process slot" : `a free process slot, as number ${line.place} of ${line.waiting} in line`,
  agentStart: () => "its agent to get ready",
  agentReturn: () => "its process to come back",
  turnEnd: (session) => {
    const tool = toolOf(session)
    return tool === null
      ? endOfTurn(session)
      : `the end of ${named(tool.title)}, which its agent runs in turn ${session.turn}`
  },
  interruptedEnd: (session) => `${endOfTurn(session)}, which is interrupted`,
  lifeSign: () => "a sign of life from its agent",
  answer: ({ asks }) => (asks === null ? "an answer" : `an answer to: ${asks}`),
  backoff: () => "the end of its backoff",
  unpark: () => "the end of its pause, or an operator to unpark it",
  exit: () => "its process to exit, as it was asked to",
  termination: () => "its process to end on SIGTERM",
  kernel: () => "the kernel to say that no process of it is left",
  nothing: () => "nothing any more"
}

/** Nobody waits for a tool while a person is asked, or where the agent was asked to stop. */
const toolOf = ({ substate, tools = [] }: WaitingSession): Wait["tool"] => {
  const [oldest] = tools
  if (oldest === undefined || infoOf(substate)?.waitsFor !== "turnEnd") return null
  return { title: oldest.title, since: oldest.since / 1000, more: tools.length - 1 }
}

export const waitOf = (session: WaitingSession): Wait => {
  const { next, process, since, substate } = session
  // Of another version's ledger or export, where the state is unknown.
  const info = infoOf(substate)
  return {
    what: info === undefined ? `what leads out of ${substate}` : waitWords[info.waitsFor](session),
    who: info?.owedBy ?? "troupe",
    since: since / 1000,
    next:
      next === null
        ? null
        : { timer: nameOfTimer(next.timer), at: next.dueAt / 1000, to: stateAfter(next.timer, process) },
    tool: toolOf(session)
  }
}

/** The machine's name of the delay; of the three timers that are not the machine's own, the name of their setting or bound. */
export const nameOfTimer = (timer: string): string => {
  if (timer.startsWith("approval ")) return "approvalTimeout"
  if (timer === "quiet") return "postToolQuiet"
  if (timer === "aborted") return "abortGrace"
  return delayName(timer) ?? timer
}

/** The state that the timer leads into; `null` where it stays, or where more than the process decides it. */
const stateAfter = (timer: string, process: boolean): string | null => {
  if (timer.startsWith("approval ")) return stateAfterEvent("approval.settled", process)
  if (timer === "quiet") return stateAfterEvent("agent.quiet", process)
  if (timer === "aborted") return stateAfterEvent("turn.aborted", process)
  const path = /^xstate\.after\.[^.]+\.session\.?(.*)$/.exec(timer)?.[1]
  return path === undefined ? null : targetOf(nodeAt(path), timer, process)
}

/** The three timers that are not the machine's own send it an event, which one state has a transition for. */
const stateAfterEvent = (event: string, process: boolean): string | null => {
  for (const name of Object.keys(stateInfo)) {
    const target = targetOf(nodeAt(name), event, process)
    if (target !== null) return target
  }
  return null
}

const targetOf = (node: AnyStateNode | undefined, event: string, process: boolean): string | null => {
  for (const { guard, target } of node?.transitions.get(event) ?? []) {
    const holds = guard === undefined || isExpected(guard, process)
    if (holds === null) return null
    if (holds) return target?.[0] === undefined ? null : entered(target[0])
  }
  return null
}

/** Whether the guard will hold if the agent stays silent; `null` where more decides it. */
const isExpected = (guard: unknown, process: boolean): boolean | null => {
  switch (guard) {
    case "hasProcess":
      return process
    case "isLastApproval":
      return true
    case "saidAborted":
    case "saidAnswered":
      return false
    default:
      return null
  }
}

const nodeAt = (path: string): AnyStateNode | undefined =>
  path.split(".").reduce<AnyStateNode | undefined>((node, key) => node?.states[key], sessionMachine.root)

/** The leaf that is entered with this state: a compound state is entered by its initial one. */
const entered = (node: AnyStateNode): string => {
  const [first] = node.type === "compound" ? node.initial.target : []
  return first === undefined ? node.path.join(".") : entered(first)
}
