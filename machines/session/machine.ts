/**
 * One session, from its creation to its end.
 *
 * Pure: no clock, no process, no database. What the session wants done leaves as a command; what happened comes back as
 * an event. Every delay is named, so the chart shows it and the actor arms it. What a state means stands on the state,
 * as `tags` and `meta` (`states.ts`), and what it and each arrow means to people in `sentences.ts`.
 */
import type { SnapshotFrom } from "xstate"
import { begin, deliveriesOf } from "../decide.ts"
import type { CommandsOf } from "../decide.ts"
import { described } from "../describe.ts"
import { askToExit, endProcess, handPrompt, releaseSlot, startProcess, takeSlot, terminateProcess } from "./commands.ts"
import { defaultBounds } from "./delays.ts"
import type { SessionBounds } from "./delays.ts"
import { initialContext } from "./events.ts"
import { DamagedSnapshot, storedState } from "./restore.ts"
import { close, failQueue, leaveQueue } from "./settlements.ts"
import { sentencesWith } from "./sentences.ts"
import { sessionSetup } from "./setup.ts"
import { turningState } from "./turning.ts"

export { longestQueue } from "./setup.ts"
export type { SessionBounds } from "./delays.ts"
export type { SessionContext, SessionEvent, TurnFacts, WaitingTurn } from "./events.ts"
export type { Failure } from "./failures.ts"
export type { Settlement } from "./settlements.ts"

export const sessionMachineWith = (bounds: SessionBounds) => {
  const parts = sessionSetup(bounds)

  const idle = parts.createStateConfig({
    initial: "asleep",
    on: { "settings.changed": { actions: "noteStale" } },
    states: {
      asleep: {
        tags: ["unloadable"],
        meta: { process: "none", waitsFor: "turn", owedBy: "app" },
        always: [
          { guard: "isClosing", target: "#session.closed" },
          { guard: "hasQueued", target: "#session.turning", actions: "takeQueued" }
        ],
        on: {
          "turn.submitted": { target: "#session.turning", actions: "takeTurn" },
          // Here alone: nothing was started for the agent of before, and nothing said to it.
          "agent.chosen": { guard: "isUnused" },
          "close.requested": { target: "#session.closed", actions: "noteReason" },
          "expire.requested": { target: "#session.closed", actions: "noteReason" }
        }
      },
      awake: {
        tags: ["evictable"],
        meta: { process: "up", waitsFor: "turn", owedBy: "app" },
        always: [
          { guard: "isClosing", target: "#session.retiring" },
          // The turns in line wait for the next process, which has the settings that apply to them.
          { guard: "isStale", target: "#session.retiring", actions: "noteRenewal" },
          { guard: "hasQueued", target: "#session.turning.running", actions: ["takeQueued", ...handPrompt] }
        ],
        after: { hibernateAfter: { target: "#session.retiring", actions: "noteIdle" } },
        on: {
          "turn.submitted": { target: "#session.turning.running", actions: ["takeTurn", ...handPrompt] },
          "process.exited": { target: "#session.retiring.killing", actions: "noteDeath" },
          "process.lost": { target: "asleep", actions: "noteGone" },
          // Nothing is at work, so it is asked first, as when it hibernates: its conversation goes on in the next process.
          "limit.exceeded": { guard: "isThisProcess", target: "#session.retiring", actions: "noteExcess" },
          "hibernate.requested": { target: "#session.retiring", actions: "noteReason" },
          "close.requested": { target: "#session.retiring", actions: close },
          "expire.requested": { target: "#session.retiring", actions: close }
        }
      },
      /** Comes back by itself after a death. It never makes anybody wait: no free slot, no process. */
      waking: {
        meta: { process: "starting", waitsFor: "agentReturn", owedBy: "agent" },
        always: [
          { guard: "isClosing", target: "#session.retiring.killing" },
          // It would come up with the settings of before, and the next turn is one that came after.
          { guard: "isStale", target: "#session.retiring.killing", actions: "noteRenewal" },
          { guard: "canStartQueued", target: "#session.turning.starting", actions: "takeQueued" },
          { guard: "hasQueued", target: "#session.turning", actions: "takeQueued" }
        ],
        after: {
          startWithin: [
            { guard: "hasProcess", target: "#session.retiring.killing", actions: "noteSlow" },
            { target: "asleep", actions: releaseSlot }
          ]
        },
        on: {
          "slot.granted": { guard: "hasNoProcess", actions: startProcess },
          "slot.refused": { guard: "hasNoProcess", target: "asleep" },
          "process.ready": { target: "awake", actions: "noteReady" },
          "process.failed": { target: "#session.retiring.killing", actions: "noteDeath" },
          "process.exited": { target: "#session.retiring.killing", actions: "noteDeath" },
          "process.lost": { target: "asleep", actions: "noteGone" },
          "limit.exceeded": { guard: "isThisProcess", target: "#session.retiring.killing", actions: "noteExcess" },
          "turn.submitted": [
            { guard: "hasProcess", target: "#session.turning.starting", actions: "takeTurn" },
            { target: "#session.turning", actions: "takeTurn" }
          ],
          "hibernate.requested": [
            { guard: "hasProcess", target: "#session.retiring.killing", actions: "noteReason" },
            { target: "asleep", actions: releaseSlot }
          ],
          "close.requested": [
            { guard: "hasProcess", target: "#session.retiring.killing", actions: close },
            { target: "#session.closed", actions: ["noteReason", releaseSlot] }
          ],
          "expire.requested": [
            { guard: "hasProcess", target: "#session.retiring.killing", actions: close },
            { target: "#session.closed", actions: ["noteReason", releaseSlot] }
          ]
        }
      },
      backingOff: {
        meta: { process: "backing_off", waitsFor: "backoff", owedBy: "troupe" },
        always: { guard: "hasQueued", target: "#session.turning", actions: "takeQueued" },
        after: { backoff: { target: "waking", actions: takeSlot(false) } },
        on: {
          "turn.submitted": { target: "#session.turning", actions: "takeTurn" },
          "close.requested": { target: "#session.closed", actions: "noteReason" },
          "expire.requested": { target: "#session.closed", actions: "noteReason" }
        }
      },
      /** Left alone for now: its agent keeps dying, or the agent's account is used up, which turns may wait for. */
      parked: {
        meta: { process: "parked", waitsFor: "unpark", owedBy: "operator" },
        after: { parkFor: { target: "asleep", actions: "liftPause" } },
        on: {
          "turn.submitted": { guard: "canQueueWhilePaused", actions: "enqueue" },
          "interrupt.requested": { guard: "interruptsQueuedTurn", actions: leaveQueue },
          "unpark.requested": { target: "asleep", actions: "resetBudget" },
          "close.requested": { target: "#session.closed", actions: close },
          "expire.requested": { target: "#session.closed", actions: close }
        }
      }
    }
  })

  /**
   * Ask, terminate, kill, each with its deadline; left only when the kernel says that nobody is there. A process that
   * never got ready has nothing to lose and nothing to be asked by: it is killed.
   */
  const retiring = parts.createStateConfig({
    initial: "asking",
    tags: ["retiring"],
    on: {
      "turn.submitted": { guard: "canQueueWhileRetiring", actions: "enqueue" },
      "interrupt.requested": { guard: "interruptsQueuedTurn", actions: leaveQueue },
      "close.requested": { actions: close },
      "expire.requested": { guard: "isNotClosing", actions: close },
      "settings.changed": { actions: "noteStale" },
      "process.lost": [
        { guard: "isLimited", target: "#session.idle.parked", actions: "noteGone" },
        { target: "#session.idle.asleep", actions: "noteGone" }
      ]
    },
    states: {
      asking: {
        meta: { process: "stopping", waitsFor: "exit", owedBy: "agent" },
        entry: askToExit,
        after: { exitWithin: "terminating" },
        on: { "process.exited": "killing", "limit.exceeded": { guard: "isThisProcess", target: "killing" } }
      },
      terminating: {
        meta: { process: "stopping", waitsFor: "termination", owedBy: "agent" },
        entry: terminateProcess,
        after: { terminateWithin: "killing" },
        on: { "process.exited": "killing", "limit.exceeded": { guard: "isThisProcess", target: "killing" } }
      },
      killing: {
        meta: { process: "stopping", waitsFor: "kernel", owedBy: "kernel" },
        entry: endProcess,
        after: { killAgain: { target: "killing", reenter: true } },
        on: {
          "process.exited": {},
          "process.gone": [
            { guard: "isClosing", target: "#session.closed", actions: "noteGone" },
            { guard: "isOverBudget", target: "#session.idle.parked", actions: [...failQueue, "noteGone"] },
            { guard: "isLimited", target: "#session.idle.parked", actions: "noteGone" },
            { guard: "hasCrashed", target: "#session.idle.backingOff", actions: "noteGone" },
            { target: "#session.idle.asleep", actions: "noteGone" }
          ]
        }
      }
    }
  })

  const closed = parts.createStateConfig({
    type: "final",
    tags: ["unloadable"],
    meta: { process: "none", waitsFor: "nothing", owedBy: "nobody" }
  })

  return parts.createMachine({
    id: "session",
    description: "One session with one agent, from its creation to its end.",
    context: initialContext,
    initial: "idle",
    states: described({ idle, turning: turningState(parts), retiring, closed }, sentencesWith(bounds))
  })
}

export const sessionMachine = sessionMachineWith(defaultBounds)

/** When each command is carried out. */
export const deliveries = deliveriesOf(sessionMachine)

/** A new session; `thread`: the conversation of the agent's that it goes on with, by the agent's own id. */
export const created = (machine: SessionMachine, thread: string | null): SessionSnapshot => {
  const { context, value } = begin(machine, undefined).next
  return restore(machine, { value, context: { ...context, thread } })
}

/**
 * A stored snapshot, as this version reads it: what a later version added to the context has its initial value. Throws
 * `DamagedSnapshot` where it can't be read, also on a state that the chart no longer has; `test/fixtures/snapshots` holds
 * one of each that was ever stored.
 */
export const restore = (machine: SessionMachine, persisted: unknown): SessionSnapshot => {
  const stored = storedState(persisted)
  try {
    return machine.resolveState(stored as Parameters<SessionMachine["resolveState"]>[0]) as SessionSnapshot
  } catch (cause) {
    throw new DamagedSnapshot("its state is none of the chart's", { cause })
  }
}

export type SessionMachine = typeof sessionMachine
export type SessionSnapshot = SnapshotFrom<SessionMachine>
export type SessionCommand = CommandsOf<SessionMachine>
