/**
 * What would happen if: an event that is thought up, gone through by the reducer that goes through them in production. What it
 * orders is only told: nothing of it leaves this function.
 */
import type { AnyStateMachine, AnyStateNode } from "xstate"
import { decide } from "../../../../../machines/decide.ts"
import type { SessionEvent, SessionMachine, SessionSnapshot } from "../../../../../machines/session/machine.ts"
import { eventName } from "../../../chart/eventName.ts"
import { nameOf } from "../../../chart/read.ts"
import { wordsOfGuard } from "../../../client/machineWords.ts"
import { takenWays } from "./takenWays.ts"
import type { TakenWay } from "./takenWays.ts"
import { changes, lineage, pathOf } from "./value.ts"
import type { Change } from "./value.ts"

type Type = SessionEvent["type"]

/** What a person can choose of an event. The first option is what is usual. */
export interface Field {
  readonly name: string
  readonly label: string
  readonly options: ReadonlyArray<string>
}

export type Values = Readonly<Record<string, string>>

interface Given {
  readonly snapshot: SessionSnapshot
  /** The number that the next turn gets. */
  readonly nextTurn: number
  /** Milliseconds since 1970. */
  readonly at: number
  readonly values: Values
}

interface Kind {
  readonly fields?: ReadonlyArray<Field>
  readonly make: (given: Given) => SessionEvent
}

const none = "none"
const failures = [
  "crash",
  "protocol",
  "timeout",
  "auth",
  "config",
  "model",
  "quota",
  "limit",
  "conversation",
  "outcome_unknown"
]

const failureField = (...first: ReadonlyArray<string>): Field => ({
  name: "failure",
  label: "failure",
  options: [...new Set([...first, ...failures])]
})
const yesNo = (name: string, label: string, usual: "yes" | "no" = "no"): Field => ({
  name,
  label,
  options: usual === "yes" ? ["yes", "no"] : ["no", "yes"]
})
const answered = yesNo("answered", "the agent's answer stands complete")

const reason = "what would happen if"
const failureIn = ({ failure = "crash" }: Values) =>
  ({ class: failure, message: "It is only thought up." }) as { class: "crash"; message: string }
const saidIn = ({ answered: is, aborted }: Values) => ({ answered: is === "yes", aborted: aborted === "yes" })
const death = ({ at, values }: Given) => ({ failure: failureIn(values), at, jitter: 0.5 })

/** Every event that the machine knows, with what is usual in it. */
const kinds: { readonly [T in Type]: Kind } = {
  "turn.submitted": {
    fields: [
      { name: "minutes", label: "its deadline, in minutes", options: ["10", "1", "60", "1440"] },
      yesNo("queue", "it may wait in line", "yes")
    ],
    make: ({ at, nextTurn: turn, values: { minutes, queue } }) => ({
      type: "turn.submitted",
      turn,
      timeoutMillis: Number(minutes ?? "10") * 60_000,
      queue: queue !== "no",
      at
    })
  },
  "turn.ended": {
    fields: [
      failureField(none),
      { name: "stop", label: "stop reason", options: ["end_turn", "cancelled", "max_tokens", "refusal"] },
      yesNo("aborted", "its text says that it was aborted")
    ],
    make: ({ at, snapshot, values }) => ({
      type: "turn.ended",
      turn: snapshot.context.turn,
      stopReason: values["stop"] ?? "end_turn",
      failure: (values["failure"] ?? none) === none ? null : failureIn(values),
      said: saidIn(values),
      at
    })
  },
  "interrupt.requested": { make: () => ({ type: "interrupt.requested", reason }) },
  "approval.asked": { make: () => ({ type: "approval.asked", id: "apr_thought_up" }) },
  "approval.settled": {
    make: ({ snapshot }) => ({ type: "approval.settled", id: snapshot.context.approvals[0] ?? "apr_thought_up" })
  },
  "turn.answered": { make: ({ snapshot }) => ({ type: "turn.answered", turn: snapshot.context.turn }) },
  "turn.aborted": { make: ({ snapshot }) => ({ type: "turn.aborted", turn: snapshot.context.turn }) },
  "agent.quiet": {
    fields: [answered],
    make: ({ values }) => ({ type: "agent.quiet", said: saidIn(values) })
  },
  "slot.granted": { make: () => ({ type: "slot.granted" }) },
  "slot.refused": {
    fields: [yesNo("urgent", "a turn waits for it", "yes")],
    make: ({ values }) => ({ type: "slot.refused", reason, urgent: values["urgent"] !== "no" })
  },
  "process.ready": {
    make: ({ at, snapshot }) => ({ type: "process.ready", thread: snapshot.context.thread ?? "thought-up", at })
  },
  "process.failed": {
    fields: [failureField("crash")],
    make: (given) => ({ type: "process.failed", ...death(given) })
  },
  "process.exited": {
    fields: [failureField("crash")],
    make: (given) => ({ type: "process.exited", ...death(given) })
  },
  "limit.exceeded": {
    fields: [{ name: "limit", label: "limit", options: ["rss", "descendants"] }],
    make: ({ snapshot, values }) => ({
      type: "limit.exceeded",
      generation: snapshot.context.generation,
      limit: values["limit"] === "descendants" ? "descendants" : "rss",
      failure: failureIn({ failure: "limit" })
    })
  },
  "process.gone": { make: () => ({ type: "process.gone" }) },
  "process.lost": {
    fields: [yesNo("claimed", "the agent may have the prompt", "yes")],
    make: ({ values }) => ({ type: "process.lost", claimed: values["claimed"] !== "no" })
  },
  "hibernate.requested": { make: () => ({ type: "hibernate.requested", reason }) },
  "close.requested": { make: () => ({ type: "close.requested", reason }) },
  "expire.requested": { make: () => ({ type: "expire.requested", reason }) },
  "unpark.requested": { make: () => ({ type: "unpark.requested" }) },
  "settings.changed": {
    make: () => ({ type: "settings.changed", settings: {} as never })
  },
  "agent.chosen": { make: () => ({ type: "agent.chosen", agent: "another", settings: {} as never }) }
}

const isTimer = (type: string): boolean => type.startsWith("xstate.after.")

export const fieldsOf = (type: string): ReadonlyArray<Field> =>
  isTimer(type) ? (eventName(type) === "after turnWithin" ? [answered] : []) : (kinds[type as Type]?.fields ?? [])

export const eventOf = (type: string, given: Given): SessionEvent =>
  isTimer(type)
    ? // An event of XState's own.
      ({ type, said: saidIn(given.values) } as unknown as SessionEvent)
    : kinds[type as Type].make(given)

/** The events that the state, or one around it, has an arrow for; and those that it has none for. */
export const eventsAt = (machine: SessionMachine, path: string) => {
  const known = [...new Set(nodesAt(machine, path).flatMap((node) => [...node.transitions.keys()]))].filter(
    (type) => type !== "" && !type.startsWith("xstate.init") && !type.startsWith("xstate.done")
  )
  return { known, others: Object.keys(kinds).filter((type) => !known.includes(type)) }
}

/** From the inside out, as the machine looks for an arrow. */
const nodesAt = (machine: AnyStateMachine, path: string): ReadonlyArray<AnyStateNode> =>
  [...lineage(path).toReversed(), ""].flatMap((at) => {
    const node = at
      .split(".")
      .filter((key) => key !== "")
      .reduce<AnyStateNode | undefined>((found, key) => found?.states[key], machine.root)
    return node === undefined ? [] : [node]
  })

export interface Outcome {
  readonly event: SessionEvent
  readonly from: string
  readonly next: SessionSnapshot
  readonly to: string
  /** Why nothing would happen, in a sentence; `null`: it would be taken. */
  readonly refused: string | null
  readonly taken: ReadonlyArray<TakenWay>
  readonly commands: ReadonlyArray<{ readonly type: string; readonly params: unknown }>
  readonly arm: ReadonlyArray<{ readonly name: string; readonly seconds: number }>
  readonly cancel: ReadonlyArray<string>
  readonly changed: ReadonlyArray<Change>
  /** How turns would end. */
  readonly ends: ReadonlyArray<string>
}

export const whatIf = (machine: SessionMachine, snapshot: SessionSnapshot, event: SessionEvent): Outcome => {
  const { arm, cancel, commands, handled, next } = decide(machine, snapshot, event)
  const [from, to] = [pathOf(snapshot.value), pathOf(next.value)]
  return {
    event,
    from,
    next,
    to,
    refused: handled ? null : refusalOf(machine, from, event.type),
    taken: handled ? takenWays(machine, snapshot, event, to) : [],
    commands: commands.map(({ params, type }) => ({ type, params })),
    arm: arm.map(({ delayMillis, event: { type } }) => ({ name: eventName(type), seconds: delayMillis / 1_000 })),
    cancel: cancel.map(eventName),
    changed: changes(snapshot.context, next.context),
    ends: commands.flatMap(endOf)
  }
}

const refusalOf = (machine: SessionMachine, from: string, type: string): string => {
  const guards = nodesAt(machine, from).flatMap((node) =>
    (node.transitions.get(type) ?? []).flatMap(({ guard }) => (guard === undefined ? [] : [nameOf(guard)]))
  )
  if (guards.length === 0)
    return `The machine draws no arrow for ${eventName(type)} in ${from}. Its sender is told so, and nothing changes.`
  return `In ${from} it counts only where ${[...new Set(guards.map(wordsOfGuard))].join(", or ")}, which is not so. Nothing changes.`
}

const endOf = ({ params, type }: { readonly type: string; readonly params: unknown }): ReadonlyArray<string> => {
  const { failure, status, stopReason, turn, turns } = params as {
    readonly turn?: number
    readonly turns?: ReadonlyArray<number>
    readonly status?: string
    readonly stopReason?: string
    readonly failure?: { readonly class: string; readonly message: string } | null
  }
  const why = failure === null || failure === undefined ? "" : ` (${failure.class}: ${failure.message})`
  if (type === "settleTurn")
    return [`Turn ${turn} ends as ${status?.replace("_", " ")}, ${stopReason?.replaceAll("_", " ")}${why}`]
  if (type === "settleQueued" && turns !== undefined && turns.length > 0)
    return [`Turns ${turns.join(", ")}, which wait in line, end as failed${why}`]
  return []
}
