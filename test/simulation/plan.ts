/** What apps, operators and accidents do in a run: a list that a shorter list can be made of. */
import { diceOf } from "./random.ts"

/** How often each happens. */
const weights = {
  create: 4,
  submit: 24,
  submitKeyed: 8,
  read: 4,
  interrupt: 5,
  interruptTurn: 3,
  steer: 2,
  compact: 2,
  answer: 9,
  change: 3,
  close: 2,
  unpark: 2,
  sweep: 1,
  wait: 34,
  waitLong: 8,
  killProcess: 4,
  killTroupe: 2,
  killTroupeLater: 4,
  drain: 1,
  databaseAway: 3,
  databaseSlow: 2,
  databaseRefuses: 2,
  answersLost: 2
}

/** And where several nodes work on one ledger. */
const weightsOfNodes = {
  ...weights,
  killTroupe: 3,
  killTroupeLater: 6,
  stop: 4,
  stopLater: 6,
  drain: 3,
  letGo: 6,
  cutOff: 3,
  breakCalls: 2
}

/** Every third history of several nodes is about who reaches the database, and agents that are at work meanwhile. */
export const isOfContact = (seed: number): boolean => seed % 3 === 0
const weightsOfContact = {
  create: 3,
  submit: 16,
  answer: 3,
  wait: 24,
  waitLong: 2,
  killTroupe: 2,
  stop: 4,
  stopLater: 2,
  drain: 4,
  databaseAway: 8,
  cutOff: 10,
  breakCalls: 3
}

export type Action = keyof typeof weightsOfNodes

/** `a` and `b` choose among what there is: any number fits, so that a step means something in any history. */
export interface PlanStep {
  readonly action: Action
  readonly a: number
  readonly b: number
}

export const planOf = (seed: number, steps: number, nodes = 1): ReadonlyArray<PlanStep> => {
  const dice = diceOf(seed)
  const action = (): Action =>
    nodes === 1
      ? dice.weighted(weights)
      : isOfContact(seed)
        ? dice.weighted(weightsOfContact)
        : dice.weighted(weightsOfNodes)
  const start: PlanStep = { action: "create", a: dice.below(1e6), b: 0 }
  return [
    start,
    ...Array.from({ length: steps - 1 }, () => ({
      action: action(),
      a: dice.below(1e6),
      b: dice.below(1e6)
    }))
  ]
}
