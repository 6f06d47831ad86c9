/**
 * A span for each turn, from its submission to its end, as the OpenTelemetry conventions for generative AI have it: it belongs
 * to the trace of the request that the turn came of, and the agent gets it as the parent of its own.
 *
 * Without a tracer nothing is kept, and the agent gets the request's own trace context. A turn that was accepted before this
 * actor ran has neither: both are in memory only.
 */
import { Context, Effect, Exit, Option, Tracer } from "effect"
import type { Notice } from "../domain/Notice.ts"
import { traceIn, traceparentOf } from "../domain/traceparent.ts"
import { isTurnOk } from "../domain/TurnOutcome.ts"
import type { CommittedStep } from "./commit.ts"
import type { Reacting } from "./reactions.ts"

interface Traced {
  readonly span: Tracer.Span | null
  readonly traceparent: string
}

export class TurnSpans implements Reacting {
  readonly #tracer: Tracer.Tracer
  /** Made with the first that is known of. */
  #turns: Map<number, Traced> | null = null

  constructor(tracer: Tracer.Tracer) {
    this.#tracer = tracer
  }

  /** What the agent is to continue; `undefined`: nothing is known of a trace. */
  traceparent(turn: number): string | undefined {
    return this.#turns?.get(turn)?.traceparent
  }

  react(committed: CommittedStep): void {
    this.#begin(committed)
    for (const notice of committed.notices) {
      if (notice._tag !== "TurnEnded") continue
      const span = this.#turns?.get(notice.turn)?.span ?? null
      this.#turns?.delete(notice.turn)
      if (span !== null) end(span, notice, committed.at)
    }
  }

  #begin({ at, event, record, submission }: CommittedStep): void {
    if (event.type !== "turn.submitted" || submission === null) return
    const given = submission.origin?.trace
    if (this.#tracer === Tracer.nativeTracer) {
      if (given !== undefined) this.#keep(event.turn, { span: null, traceparent: given })
      return
    }
    const parent = given === undefined ? null : traceIn(given)
    const span = this.#tracer.span({
      name: `invoke_agent ${record.agent}`,
      parent: parent === null ? Option.none() : Option.some(Tracer.externalSpan(parent)),
      annotations: Context.empty(),
      links: [],
      startTime: nanos(at),
      kind: "client",
      root: parent === null,
      sampled: parent?.sampled ?? true
    })
    const attributes = {
      "gen_ai.operation.name": "invoke_agent",
      "gen_ai.provider.name": record.agent,
      "gen_ai.agent.name": record.agent,
      "gen_ai.conversation.id": record.id,
      "gen_ai.request.model": submission.settings?.model ?? record.model,
      "troupe.app": record.app,
      "troupe.turn": event.turn,
      "troupe.request_id": submission.origin?.request ?? null
    }
    setAll(span, attributes)
    this.#keep(event.turn, { span, traceparent: traceparentOf(span) })
  }

  #keep(turn: number, traced: Traced): void {
    this.#turns ??= new Map()
    this.#turns.set(turn, traced)
  }
}

export const make = Effect.map(Tracer.Tracer, (tracer) => new TurnSpans(tracer))

const end = (span: Tracer.Span, notice: Extract<Notice, { readonly _tag: "TurnEnded" }>, at: number): void => {
  const { failure, status, stopReason, usage } = notice
  const isOk = isTurnOk(status)
  setAll(span, {
    "gen_ai.response.finish_reasons": [stopReason],
    "gen_ai.usage.input_tokens": usage.inputTokens,
    "gen_ai.usage.output_tokens": usage.outputTokens,
    "gen_ai.usage.cache_read.input_tokens": usage.cachedInputTokens,
    "error.type": isOk ? null : (failure?.class ?? status),
    "troupe.outcome": status
  })
  span.end(nanos(at), isOk ? Exit.void : Exit.fail(new TurnFailed(failure?.class ?? status)))
}

/** The status of its span. Its message may quote an agent, so the log and the API have it, and no trace. */
class TurnFailed extends Error {
  override readonly name = "TurnFailed"
  override readonly stack = ""
}

const setAll = (span: Tracer.Span, attributes: Readonly<Record<string, unknown>>): void => {
  for (const [name, value] of Object.entries(attributes)) if (value !== null) span.attribute(name, value)
}

const nanos = (millis: number): bigint => BigInt(millis) * 1_000_000n
