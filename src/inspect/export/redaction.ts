/**
 * What of a session may leave the house without a thought: its shape. Texts are replaced by how long they were.
 *
 * Works on what a detail is made of, not on what it says, so that a sentence that quotes a text quotes its length. What
 * is not known to be harmless is a text: a word of the protocol stays where the protocol has its words, and nowhere
 * else.
 */
import type { Meta } from "../../domain/Session.ts"
import type { TranscriptEvent } from "../contract.ts"
import type { InspectedSession, StepRecord } from "../../services/Inspection.ts"

export interface Redaction {
  /** `steps`: those of the session that are exported with it. */
  readonly session: (inspected: InspectedSession, steps: ReadonlyArray<StepRecord>) => InspectedSession
  readonly step: (step: StepRecord) => StepRecord
  readonly event: (event: TranscriptEvent) => TranscriptEvent
}

/** Everything but secrets: `redact` takes those out of a text. */
export const keepingTexts = (redact: (text: string) => string): Redaction => {
  const clean = <A>(value: A): A => mapped(value, redact) as A
  return { session: clean, step: clean, event: clean }
}

export const withoutTexts: Redaction = {
  session: (inspected, steps) => {
    const { snapshot, summary, view } = inspected
    const harmless = new Set([...ownReasons, ...steps.flatMap(requestedBy)])
    const { reason } = snapshot.context
    return {
      ...inspected,
      view: {
        ...view,
        cwd: hidden(view.cwd),
        meta: mapped(view.meta, hidden) as Meta,
        permissions: protocol(view.permissions) as InspectedSession["view"]["permissions"],
        systemPrompt: null
      },
      summary: { ...summary, asks: summary.asks === null ? null : hidden(summary.asks) },
      snapshot: {
        ...snapshot,
        context: { ...snapshot.context, reason: harmless.has(reason) ? reason : hidden(reason) }
      },
      turns: inspected.turns.map((turn) => ({
        ...turn,
        prompt: hidden(turn.prompt),
        failure: turn.failure === null ? null : { class: turn.failure.class, message: hidden(turn.failure.message) }
      })),
      approvals: inspected.approvals.map((approval) => ({
        ...approval,
        title: hidden(approval.title),
        kind: token(approval.kind),
        raw: mapped(approval.raw, hidden)
      })),
      processSteps: inspected.processSteps.map(withoutFailure),
      vitals: inspected.vitals === null ? null : { ...inspected.vitals, stderr: hidden(inspected.vitals.stderr) }
    }
  },
  step: (step) => withoutFailure(step),
  event: (event) => ({ ...event, message: protocol(event.message) })
}

export const hidden = (text: string): string => (text === "" ? "" : `[redacted: ${text.length} characters]`)

/** The machine's own words for why it retires: nothing that anybody said. */
const ownReasons: ReadonlyArray<string> = [
  "",
  "idle",
  "the turn overran its deadline",
  "the agent went silent and did not answer an interrupt",
  "the agent did not get ready in time"
]

/** Reasons of requests name who asked; a failure's message is the agent's, and is read off by its event. */
const requestedBy = ({ event }: StepRecord): ReadonlyArray<string> => {
  const reason = event["reason"]
  return event.type.endsWith(".requested") && typeof reason === "string" ? [reason] : []
}

const withoutFailure = (step: StepRecord): StepRecord => {
  const failure = step.event["failure"]
  if (typeof failure !== "object" || failure === null) return step
  const { message, stderr, ...rest } = failure as { readonly message?: unknown; readonly stderr?: unknown }
  const clean = {
    ...rest,
    ...(typeof message === "string" ? { message: hidden(message) } : {}),
    ...(typeof stderr === "string" ? { stderr: hidden(stderr) } : {})
  }
  return { ...step, event: { ...step.event, failure: clean } }
}

/** Fields in which the protocol has words of its own, not the agent's or its tools'. */
const words: ReadonlySet<string> = new Set([
  "approval_id",
  "class",
  "currency",
  "decided_by",
  "decision",
  "default",
  "event",
  "from",
  "id",
  "jsonrpc",
  "kind",
  "messageId",
  "method",
  "outcome",
  "policy",
  "priority",
  "role",
  "sessionId",
  "sessionUpdate",
  "severity",
  "status",
  "stopReason",
  "then",
  "to",
  "toolCallId",
  "tool_call_id",
  "type"
])

/** Fields whose insides are whatever a tool or an agent made of them: nothing in there is a word of the protocol. */
const free: ReadonlySet<string> = new Set([
  "rawInput",
  "rawOutput",
  "_meta",
  "raw",
  "data",
  "locations",
  "configOptions"
])

const protocol = (value: unknown): unknown => {
  if (typeof value === "string") return hidden(value)
  if (typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) return value.map(protocol)
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      if (free.has(key)) return [key, mapped(inner, hidden)]
      return [keyOf(key), typeof inner === "string" && words.has(key) ? token(inner) : protocol(inner)]
    })
  )
}

/** A word of a protocol looks like one. */
const token = (text: string): string => (/^[\w./:-]{1,80}$/.test(text) ? text : hidden(text))

/** A path, an address or a name can stand for a key as well. */
const keyOf = (key: string): string => (/^[A-Za-z_][\w/-]{0,40}$/.test(key) ? key : hidden(key))

/** Every string through `change`, keys that are none of a program's too; the shape stays. */
const mapped = (value: unknown, change: (text: string) => string): unknown => {
  if (typeof value === "string") return change(value)
  if (typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) return value.map((one) => mapped(one, change))
  return Object.fromEntries(
    Object.entries(value).map(([key, inner], nth) => {
      const shown = change === hidden ? keyOf(key) : change(key)
      return [shown === key ? key : `${shown} ${nth}`, mapped(inner, change)]
    })
  )
}
