/**
 * Emits the facts of a codex connection in wire order, and knows the turn that runs.
 *
 * The end of an interrupted turn is held until the turn's commands are dead: codex lets them run on, so it is asked to
 * kill them first.
 */
import { Deferred, Effect, Exit } from "effect"
import type { AgentFact, AgentFailed, OpenRequest } from "../Agent.ts"
import type { RpcSilent } from "../RpcError.ts"
import type { Translator } from "./Translator.ts"

/** The turn that runs, and what others wait for. */
export interface ActiveTurn {
  /** Succeeds when codex has given the turn an id; fails when the prompt failed. */
  readonly identified: Deferred.Deferred<void, AgentFailed>
  /** `turn/started` has come. */
  readonly started: Deferred.Deferred<void>
  /** The turn's end was emitted, or there is no such turn. */
  readonly over: Deferred.Deferred<void>
  interrupting: boolean
  /** Succeeds when `interrupting` becomes true. */
  readonly interrupted: Deferred.Deferred<void>
}

export interface TurnDelivery {
  readonly active: () => ActiveTurn | null
  readonly begin: (turn: number) => ActiveTurn
  readonly onNotification: (method: string, params: unknown, raw: string) => Effect.Effect<void>
  readonly deliver: (facts: ReadonlyArray<AgentFact>) => Effect.Effect<void>
  /** Emits the end that is held, if there is one. */
  readonly release: Effect.Effect<void>
  /** There is no such turn any more. */
  readonly abandon: (turn: ActiveTurn, reason: AgentFailed) => void
}

export const make = (connection: {
  readonly translator: Translator
  readonly emit: OpenRequest["emit"]
  readonly toWireLine: (raw: string) => string
  /** Asks codex to kill the turn's commands; `onReply` gets whether it accepted. */
  readonly killCommands: (onReply: (accepted: boolean) => Effect.Effect<void>) => Effect.Effect<void, RpcSilent>
  readonly removePlaceholders: Effect.Effect<void>
}): TurnDelivery => {
  const { emit, killCommands, removePlaceholders, toWireLine, translator } = connection
  let active: ActiveTurn | null = null
  let heldEnd: AgentFact | null = null
  /** codex has answered the request to kill the turn's commands. */
  let killed = false

  const begin = (turn: number) => {
    const started: ActiveTurn = {
      identified: Deferred.makeUnsafe(),
      started: Deferred.makeUnsafe(),
      over: Deferred.makeUnsafe(),
      interrupting: false,
      interrupted: Deferred.makeUnsafe()
    }
    active = started
    translator.begin(turn)
    return started
  }

  const onNotification: TurnDelivery["onNotification"] = (method, params, raw) => {
    const facts = translator.notification(method, params)
    const running = translator.running()
    if (active !== null && running !== null) {
      if (running.agentTurnId !== null) Deferred.doneUnsafe(active.identified, Exit.void)
      if (running.started) Deferred.doneUnsafe(active.started, Exit.void)
    }
    if (facts.length === 0 && heldEnd === null) return Effect.void
    return deliver(facts.map((fact) => (fact._tag === "TurnEnded" ? { ...fact, wire: toWireLine(raw) } : fact)))
  }

  const deliver = Effect.fnUntraced(function* (facts: ReadonlyArray<AgentFact>) {
    for (const fact of facts) {
      if (fact._tag !== "TurnEnded") yield* emit(fact)
      else if (active?.interrupting === true) {
        heldEnd = fact
        yield* endCommands
      } else yield* end(fact)
    }
    if (heldEnd !== null && killed && !translator.commandsOpen()) yield* release
  })

  /** The next prompt may come as soon as the end is emitted. */
  const end = (fact: AgentFact) =>
    Effect.suspend(() => {
      const ended = active
      active = null
      const over = ended === null ? Effect.void : Effect.asVoid(Deferred.succeed(ended.over, undefined))
      return Effect.andThen(emit(fact), over)
    })

  const release = Effect.suspend(() => {
    const fact = heldEnd
    heldEnd = null
    killed = false
    return fact === null ? Effect.void : Effect.andThen(removePlaceholders, end(fact))
  })

  /** The reply comes before the ends of the commands, which are waited for. Refused or unanswered, the end is emitted. */
  const endCommands = Effect.suspend(() =>
    killCommands((accepted) =>
      Effect.suspend(() => {
        killed = true
        return accepted && translator.commandsOpen() ? Effect.void : release
      })
    )
  ).pipe(Effect.catch(() => release))

  const abandon = (turn: ActiveTurn, reason: AgentFailed) => {
    if (active === turn) active = null
    translator.dropPrompt()
    // Last, because a waiting caller may prompt again at once.
    Deferred.doneUnsafe(turn.identified, Exit.fail(reason))
    Deferred.doneUnsafe(turn.over, Exit.void)
  }

  return { active: () => active, begin, onNotification, deliver, release, abandon }
}
