/** The metrics of turns, which `/metrics` shows beside those of `Metrics.ts`: how they end, how long they take, and what they use. */
import { Effect, Metric } from "effect"
import type { Context } from "effect"
import { labelled } from "../domain/labelled.ts"
import type { Usage } from "../domain/Turn.ts"
import { secondsBuckets } from "./Metrics.ts"

interface OfAgent {
  readonly [label: string]: string
  readonly agent: string
}

const turnsTotal = labelled((attributes: Omit<EndedTurn, "durationMillis"> & OfAgent) =>
  Metric.counter("troupe_turns_total", {
    description: "Turns that ended, by outcome, agent, app and, of those that failed, the failure's class.",
    incremental: true,
    attributes
  })
)
const turnSeconds = labelled((attributes: OfAgent) =>
  Metric.histogram("troupe_turn_duration_seconds", {
    description: "From a turn's submission to its end, by agent.",
    boundaries: secondsBuckets,
    attributes
  })
)

const tokensTotal = labelled((attributes: OfAgent & { readonly kind: string; readonly app: string }) =>
  Metric.counter("troupe_tokens_total", {
    description: "Tokens of turns as their agents reported them at the end, by kind, agent and app.",
    incremental: true,
    attributes
  })
)
const waitSeconds = labelled((attributes: OfAgent) =>
  Metric.histogram("troupe_turn_wait_seconds", {
    description: "From a turn's submission until it has a process to go to or to start, by agent.",
    boundaries: secondsBuckets,
    attributes
  })
)
const firstOutputSeconds = labelled((attributes: OfAgent) =>
  Metric.histogram("troupe_turn_first_output_seconds", {
    description: "From handing a prompt to an agent to the first that the agent says, by agent.",
    boundaries: secondsBuckets,
    attributes
  })
)

/** A label for each app would be without bound: the first that are seen have their names, all others one together. */
const mostAppLabels = 100
const otherApps = "(other)"
const namedApps = new Set<string>()
export const appLabel = (app: string): string => {
  if (namedApps.size < mostAppLabels) namedApps.add(app)
  return namedApps.has(app) ? app : otherApps
}

/** `outcome` is its status (`completed`, `failed`, …); `agent` a configured name; `class` is empty where it did not fail. */
interface EndedTurn {
  readonly outcome: string
  readonly agent: string
  readonly app: string
  readonly class: string
  readonly durationMillis: number
}

/** Counts a session's turns. A class: each session has them, and what they do is the same for all. */
export class TurnMeters {
  readonly #context: Context.Context<never>

  constructor(context: Context.Context<never>) {
    this.#context = context
  }

  ended({ agent, app, class: kind, durationMillis, outcome }: EndedTurn): void {
    turnsTotal({ outcome, agent, app: appLabel(app), class: kind }).updateUnsafe(1, this.#context)
    turnSeconds({ agent }).updateUnsafe(durationMillis / 1000, this.#context)
  }

  used(agent: string, app: string, { cachedInputTokens, inputTokens, outputTokens, reasoningTokens }: Usage): void {
    const kinds = {
      input: inputTokens,
      cached_input: cachedInputTokens,
      output: outputTokens,
      reasoning: reasoningTokens
    }
    for (const [kind, tokens] of Object.entries(kinds)) {
      if (tokens === 0) continue
      tokensTotal({ kind, agent, app: appLabel(app) }).updateUnsafe(tokens, this.#context)
    }
  }

  waited(agent: string, millis: number): void {
    waitSeconds({ agent }).updateUnsafe(millis / 1000, this.#context)
  }

  firstOutput(agent: string, millis: number): void {
    firstOutputSeconds({ agent }).updateUnsafe(millis / 1000, this.#context)
  }
}

export const turnMeters = Effect.map(Effect.context<never>(), (context) => new TurnMeters(context))
