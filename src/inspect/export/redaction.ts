/**
 * Removes the texts of a session for an export that may be passed on: its structure stays, each text becomes its length.
 *
 * It works on the inputs of a detail and not on its sentences, so a sentence that quotes a text quotes its length. What is
 * not known to be harmless counts as a text: a word of the protocol stays where the protocol has its own words, and
 * nowhere else.
 */
import { ownMessages } from "../../../machines/session/settlements.ts"
import type { Meta } from "../../domain/Session.ts"
import type { LastOutcome } from "../../domain/Turn.ts"
import type { TranscriptEvent } from "../sessionContract.ts"
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
        permissions:
          typeof view.permissions === "string"
            ? view.permissions
            : (protocol(view.permissions) as InspectedSession["view"]["permissions"]),
        systemPrompt: null
      },
      summary: {
        ...summary,
        asks: summary.asks === null ? null : hidden(summary.asks),
        // Without them it is called by its id.
        title: null,
        opening: null,
        meta: {},
        reason: harmless.has(summary.reason) ? summary.reason : ownWords(summary.reason),
        lastOutcome: summary.lastOutcome === null ? null : withoutMessage(summary.lastOutcome),
        tools: summary.tools.map((tool) => ({ ...tool, title: hidden(tool.title), kind: token(tool.kind) })),
        circuit: summary.circuit == null ? null : { ...summary.circuit, reason: ownWords(summary.circuit.reason) },
        line: null
      },
      othersHold: 0,
      snapshot: {
        ...snapshot,
        context: { ...snapshot.context, reason: harmless.has(reason) ? reason : ownWords(reason) }
      },
      turns: inspected.turns.map((turn) => ({
        ...turn,
        prompt: hidden(turn.prompt),
        content: null,
        givenContext: null,
        settings: {},
        failure: turn.failure === null ? null : { class: turn.failure.class, message: ownWords(turn.failure.message) }
      })),
      approvals: inspected.approvals.map((approval) => ({
        ...approval,
        title: hidden(approval.title),
        kind: token(approval.kind),
        raw: mapped(approval.raw, hidden),
        fields: protocol(approval.fields) as typeof approval.fields,
        answers: mapped(approval.answers, hidden) as typeof approval.answers
      })),
      processSteps: inspected.processSteps.map(withoutFailure),
      vitals:
        inspected.vitals === null
          ? null
          : { ...inspected.vitals, stderr: hidden(inspected.vitals.stderr), firstMalformedLine: null }
    }
  },
  step: (step) => withoutFailure(step),
  event: (event) => ({ ...event, message: protocol(event.message) })
}

export const hidden = (text: string): string => (text === "" ? "" : `[redacted: ${text.length} characters]`)

/** How a process ended, as the kernel says it and Troupe writes it. */
const ending = /\b(?:ended with exit code -?\d{1,10}|was killed by SIG[A-Z\d+-]{2,10})\b/

/** What Troupe writes before it. An agent's name may stand there as well, and is not known to be one. */
const subject = "The agent process "

/**
 * A failure's message is Troupe's own, or quotes an agent. Of what it quotes only the length is left, and what Troupe says
 * itself stays: without the exit code nobody can tell from a file what became of a process.
 */
export const ownWords = (message: string): string => {
  if (ownMessages.has(message)) return message
  const found = ending.exec(message)
  if (found === null) return hidden(message)
  const before = message.slice(0, found.index)
  const after = message.slice(found.index + found[0].length)
  const start = before === subject ? before : `${hidden(before.trim())} `.trimStart()
  return `${start}${found[0]}${/^[.:]?\s*$/.test(after) ? after.trim() : `: ${hidden(after)}`}`
}

const withoutMessage = (outcome: LastOutcome): LastOutcome => ({
  ...outcome,
  failure: outcome.failure === null ? null : { ...outcome.failure, message: ownWords(outcome.failure.message) }
})

/** The machine's own reasons for retiring a process, which quote nobody. */
const ownReasons: ReadonlyArray<string> = [
  "",
  "idle",
  "the turn overran its deadline",
  "the agent went silent and did not answer an interrupt",
  "the agent did not get ready in time",
  "the agent said that the turn was aborted",
  "the agent gave its answer and never ended the turn",
  "its settings were changed"
]

/** The reason of a request names its caller and stays. A failure's message is the agent's, and its event is none of these. */
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
    ...(typeof message === "string" ? { message: ownWords(message) } : {}),
    ...(typeof stderr === "string" ? { stderr: hidden(stderr) } : {})
  }
  return { ...step, event: { ...step.event, failure: clean } }
}

/** Fields whose values are words of the protocol, and not of the agent or its tools. */
const words: ReadonlySet<string> = new Set([
  "approval_id",
  "class",
  "currency",
  "decided_by",
  "decision",
  "default",
  "error_class",
  "event",
  "from",
  "id",
  "jsonrpc",
  "kind",
  "messageId",
  "method",
  "outcome",
  "permissions",
  "phase",
  "policy",
  "priority",
  "role",
  "sessionId",
  "sessionUpdate",
  "severity",
  "status",
  "stopReason",
  "stop_reason",
  "then",
  "to",
  "toolCallId",
  "tool_call_id",
  "type"
])

/** Fields in which Troupe says why something failed. */
const messages: ReadonlySet<string> = new Set(["error", "reason", "message"])

/** Fields whose contents a tool or an agent chooses: nothing inside is a word of the protocol. */
const free: ReadonlySet<string> = new Set([
  "answers",
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
      if (messages.has(key) && typeof inner === "string") return [key, ownWords(inner)]
      if (free.has(key)) return [key, mapped(inner, hidden)]
      return [keyOf(key), typeof inner === "string" && words.has(key) ? token(inner) : protocol(inner)]
    })
  )
}

/** Stays where it looks like a word of a protocol. */
const token = (text: string): string => (/^[\w./:-]{1,80}$/.test(text) ? text : hidden(text))

/** A path, an address or a name can be a key as well. */
const keyOf = (key: string): string => (/^[A-Za-z_][\w/-]{0,40}$/.test(key) ? key : hidden(key))

/** Passes every string through `change`, and keys that no program chose; the structure stays. */
const mapped = (value: unknown, change: (text: string) => string): unknown => {
  if (typeof value === "string") return change(value)
  if (typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) return value.map((one) => mapped(one, change))
  if (value instanceof Map)
    return new Map([...value].map(([key, inner]: [unknown, unknown]) => [mapped(key, change), mapped(inner, change)]))
  return Object.fromEntries(
    Object.entries(value).map(([key, inner], nth) => {
      const newKey = change === hidden ? keyOf(key) : change(key)
      return [newKey === key ? key : `${newKey} ${nth}`, mapped(inner, change)]
    })
  )
}
