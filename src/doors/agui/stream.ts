/** A run as a stream of the protocol's events: those of its turn, from its beginning or an answered interrupt, to the next one or its end. */
import type { SessionBackend } from "../../backend/Backend.ts"
import { TroupeError } from "../../backend/TroupeError.ts"
import { objectIn } from "../../domain/json.ts"
import { placeOf } from "../../domain/events/StreamedMessage.ts"
import type { Endings } from "../../http/Streams.ts"
import { eventResponse } from "../eventResponse.ts"
import { untilAborted } from "../untilAborted.ts"
import { wordsOf } from "./errors.ts"
import type { RunInput } from "./input.ts"
import { otherwise } from "./interrupts.ts"
import type { Wished } from "./interrupts.ts"
import { project } from "./project.ts"
import type { Place, RunEvent, TurnEnd } from "./project.ts"

export const protocolVersion = "1.0"

export interface Run {
  readonly session: SessionBackend
  readonly input: RunInput
  readonly place: Place
  /** Of a run that resumes: it begins behind its interrupts. `null`: with the turn. */
  readonly wished: Wished | null
}

type Named = Pick<RunInput, "runId" | "threadId">

const started = ({ runId, threadId }: Named): RunEvent => ({ type: "RUN_STARTED", threadId, runId, protocolVersion })

const failed = (error: TroupeError): RunEvent => ({ type: "RUN_ERROR", message: wordsOf(error), code: error.code })

async function* eventsOf({ input, place, session, wished }: Run, signal: AbortSignal): AsyncGenerator<RunEvent> {
  yield started(input)
  yield { type: "CUSTOM", name: "troupe/turn", value: { sessionId: place.session, turnIndex: place.turn } }
  const projected = project(place)
  let isPast = wished !== null
  try {
    for await (const { message } of untilAborted(session.turnEvents(place.turn), signal)) {
      const { asked, ended, events, settled } = projected(message)
      const { at: timestamp } = placeOf(message)
      if (!isPast) for (const event of events) yield { ...event, timestamp }
      const other = settled === undefined || wished === null ? null : otherwise(wished, settled)
      if (other !== null) return yield failed(other)
      if (asked !== undefined) {
        if (wished?.has(asked.approval) === true) isPast = false
        else if (!isPast) {
          const outcome = { type: "interrupt", interrupts: [asked.interrupt] }
          return yield { type: "RUN_FINISHED", ...named(input), timestamp, outcome }
        }
      }
      if (ended !== undefined) return yield { ...endOf(input, place, ended), timestamp }
    }
    if (!signal.aborted) yield failed(cutOff)
  } catch (error) {
    if (!(error instanceof TroupeError)) throw error
    yield failed(error)
  }
}

const named = ({ runId, threadId }: Named): Named => ({ threadId, runId })

const cutOff = new TroupeError({
  code: "unavailable",
  status: 503,
  message: "The stream ended before its turn, which goes on. Post the same run again to follow it."
})

const endOf = (input: Named, { session, turn }: Place, ended: TurnEnd): RunEvent => {
  const usage = usageOf(ended)
  switch (ended.status) {
    case "completed":
      return {
        type: "RUN_FINISHED",
        ...named(input),
        outcome: { type: "success" },
        result: { stopReason: ended.stop_reason, sessionId: session, turnIndex: turn },
        ...usage
      }
    case "interrupted":
      return { type: "RUN_FINISHED", ...named(input), outcome: { type: "cancelled" }, ...usage }
    case "failed":
    case "timed_out":
      return {
        type: "RUN_ERROR",
        message: ended.error ?? "The turn failed.",
        code: ended.error_class ?? ended.status,
        ...usage
      }
  }
}

const usageOf = ({ usage }: TurnEnd) =>
  usage.total_tokens === 0
    ? {}
    : {
        usage: [
          {
            inputTokens: usage.input_tokens,
            outputTokens: usage.output_tokens,
            totalTokens: usage.total_tokens,
            reasoningTokens: usage.reasoning_tokens,
            cachedInputTokens: usage.cached_input_tokens
          }
        ]
      }

const textOf = (event: RunEvent) => `data: ${JSON.stringify(event)}\n\n`

export const streamRun = (run: Run): Response =>
  eventResponse(async function* (signal) {
    for await (const event of eventsOf(run, signal)) yield textOf(event)
  })

/** Where the token was revoked meanwhile, or the server stops. */
export const endings: Endings = {
  failed: (json) => {
    const { detail, error } = objectIn(JSON.parse(json))
    return textOf({ type: "RUN_ERROR", message: String(detail), code: String(error) })
  },
  closing: textOf(failed(cutOff))
}

/** What the protocol wants told as the run's own error. */
export const refusedRun = (input: Named, error: TroupeError): Response =>
  eventResponse(async function* () {
    yield textOf(started(input))
    yield textOf(failed(error))
  })
