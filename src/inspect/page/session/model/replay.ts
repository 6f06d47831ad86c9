/**
 * A session's stored steps, gone through again by the reducer that went through them in production.
 *
 * `decide` gives each next snapshot, and nothing is run: commands and timers that come out are noted, and no more. One
 * pass when steps arrive keeps a snapshot of each hundredth, so that any moment is at most a hundred steps away. Where
 * what was stored says otherwise, that is a drift: it is shown, and the replay continues from the stored state.
 */
import { begin, decide } from "../../../../../machines/decide.ts"
import type { Timer } from "../../../../../machines/decide.ts"
import { initialContext } from "../../../../../machines/session/events.ts"
import { sessionMachineWith } from "../../../../../machines/session/machine.ts"
import type { SessionEvent, SessionMachine, SessionSnapshot } from "../../../../../machines/session/machine.ts"
import type { Me } from "../../../contract.ts"
import type { Detail, Step } from "../../../sessionContract.ts"
import { takenWays } from "./takenWays.ts"
import type { TakenWay } from "./takenWays.ts"
import { pathOf, valueOf } from "./value.ts"

export const machineOf = (bounds: Me["bounds"]): SessionMachine =>
  sessionMachineWith({
    poolWaitMillis: bounds.pool_wait_millis,
    hibernateAfterMillis: bounds.hibernate_after_millis,
    restartIntensity: bounds.restart_intensity,
    restartPeriodMillis: bounds.restart_period_millis
  })

/** The state and context that the ledger has; a state that this machine does not know is none of its. */
export const storedIn = (machine: SessionMachine, snapshot: Detail["snapshot"]): SessionSnapshot | undefined => {
  try {
    const config = { value: snapshot.value, context: { ...initialContext, ...snapshot.context } }
    return machine.resolveState(config as Parameters<SessionMachine["resolveState"]>[0]) as SessionSnapshot
  } catch {
    return undefined
  }
}

/** One step, as the machine of this page decides it now. */
export interface Replayed {
  readonly step: Step
  readonly taken: ReadonlyArray<TakenWay>
  readonly arm: ReadonlyArray<Timer>
  readonly cancel: ReadonlyArray<string>
  /** How what is stored differs from it, in a sentence. */
  readonly drift: string | null
}

const checkpointEvery = 100

const eventOf = (step: Step) => step.event as unknown as SessionEvent

export class Replay {
  readonly machine: SessionMachine
  readonly steps: Array<Replayed> = []
  readonly #checkpoints: Array<SessionSnapshot> = []
  #last: SessionSnapshot

  constructor(machine: SessionMachine) {
    this.machine = machine
    this.#last = begin(machine, undefined).next
    this.#checkpoints.push(this.#last)
  }

  /** Takes those that follow; what it has already is passed over. */
  append(steps: ReadonlyArray<Step>): void {
    for (const step of steps) {
      const lastSeq = this.steps.at(-1)?.step.seq
      if (lastSeq !== undefined && step.seq <= lastSeq) continue
      const missing = step.seq - (lastSeq ?? 0) - 1
      const { next, replayed } = this.#through(this.#last, step, missing)
      this.#last = next
      this.steps.push(replayed)
      if (this.steps.length % checkpointEvery === 0) this.#checkpoints.push(next)
    }
  }

  /** The snapshot after so many steps; 0: before the first. */
  at(count: number): SessionSnapshot {
    if (count >= this.steps.length) return this.#last
    const nearest = Math.floor(Math.max(0, count) / checkpointEvery)
    let snapshot = this.#checkpoints[nearest] ?? this.#last
    for (const { step } of this.steps.slice(nearest * checkpointEvery, Math.max(0, count)))
      snapshot = this.#after(snapshot, step).next
    return snapshot
  }

  #through(before: SessionSnapshot, step: Step, missing: number) {
    const { decision, next } = this.#after(before, step)
    const to = pathOf(decision.next.value)
    const drift = driftOf(step, missing, pathOf(before.value), to, decision)
    const taken = decision.handled ? takenWays(this.machine, before, eventOf(step), to) : []
    return { next, replayed: { step, taken, arm: decision.arm, cancel: decision.cancel, drift } }
  }

  #after(before: SessionSnapshot, step: Step) {
    const decision = decide(this.machine, before, eventOf(step))
    const isAsStored = pathOf(decision.next.value) === step.to
    return { decision, next: isAsStored ? decision.next : this.#snapshotIn(step.to, decision.next) }
  }

  /** In the stored state with the context that there is; a state that this chart does not know stays where it was. */
  #snapshotIn(path: string, otherwise: SessionSnapshot): SessionSnapshot {
    try {
      const config = { value: valueOf(path), context: otherwise.context }
      return this.machine.resolveState(config as Parameters<SessionMachine["resolveState"]>[0]) as SessionSnapshot
    } catch {
      return otherwise
    }
  }
}

const driftOf = (
  step: Step,
  missing: number,
  from: string,
  to: string,
  decision: { readonly handled: boolean; readonly commands: ReadonlyArray<{ readonly type: string }> }
): string | null => {
  if (missing > 0) return `${missing === 1 ? "The step" : `${missing} steps`} before this one can't be had.`
  if (from !== step.from) return `It was taken from ${step.from}, but the steps before lead to ${from}.`
  if (!decision.handled) return `This machine draws no arrow for ${step.event.type} in ${from}.`
  if (to !== step.to) return `This machine goes to ${to}, but ${step.to} was stored.`
  const commands = decision.commands.map(({ type }) => type).toSorted()
  const stored = step.commands.toSorted()
  return commands.join() === stored.join()
    ? null
    : `This machine orders ${listed(commands)}, but ${listed(stored)} was stored.`
}

const listed = (names: ReadonlyArray<string>): string => (names.length === 0 ? "nothing" : names.join(", "))
