/** What a scripted agent does with a prompt, and the switches by which a test makes agents misbehave. */
import { Clock, Context, Effect, Layer } from "effect"
import type { Failure } from "../../machines/session/machine.ts"
import type { SessionPort } from "../../src/session/CommandHandler.ts"
import { updateMessage } from "../../src/domain/Acp.ts"
import type { SessionUpdate } from "../../src/domain/Acp.ts"
import type { SessionId } from "../../src/domain/Ids.ts"
import type { Answers, QuestionField } from "../../src/domain/Question.ts"

/** The switches. They outlive a runtime, so that a test can run two in a row. */
export class AgentScript extends Context.Service<
  AgentScript,
  {
    /** What becomes of the next starts: ready at once, silent for ever, or failed with this message. */
    start: "ready" | "silent" | { readonly failsWith: string }
    /** What agents that become ready have of their session, where it is not all. */
    has: { readonly contextLost?: string; readonly contextAsOf?: number; readonly workdirLost?: true }
    /** Agents ignore interrupts and can't be steered. */
    isUnresponsive: boolean
    /** Else they have to be killed, which is where deadlines are tested. */
    exitsWhenAsked: boolean
    /** By session with a live process: posts that process's unexpected exit. */
    readonly exits: Map<SessionId, Effect.Effect<void>>
  }
>()("test/AgentScript") {
  static readonly layer = Layer.sync(AgentScript, () =>
    AgentScript.of({ start: "ready", has: {}, isUnresponsive: false, exitsWhenAsked: false, exits: new Map() })
  )
}

/** Ends the session's process as a kill from outside would. */
export const killProcess = (session: SessionId) =>
  Effect.flatMap(AgentScript, ({ exits }) => exits.get(session) ?? Effect.die(new Error(`${session} has no process`)))

/** Fields of a process's death. */
export const crashed = (message: string) =>
  Effect.map(Clock.currentTimeMillis, (at) => ({ failure: { class: "crash", message } as const, at, jitter: 0 }))

const textChunk = (text: string): SessionUpdate => ({
  sessionUpdate: "agent_message_chunk",
  messageId: "m1",
  content: { type: "text", text }
})

/** The part of an agent that one prompt reaches. */
export interface ScriptedTurn {
  /** The words that follow the directive. */
  readonly words: ReadonlyArray<string>
  readonly say: (text: string) => Effect.Effect<void>
  /** Of another turn than this one where `turn` is given. */
  readonly update: (update: SessionUpdate, turn?: number) => Effect.Effect<void>
  readonly end: (failure?: Failure, stopReason?: string) => Effect.Effect<void>
  readonly exit: (message: string) => Effect.Effect<void>
  /** For a turn before this one where `turnsBack` is given. */
  readonly requestApproval: (kind: string, nth: number, turnsBack?: number) => Effect.Effect<string>
  readonly ask: (fields: ReadonlyArray<QuestionField>, nth?: number) => Effect.Effect<Answers | null>
}

export const scriptedTurn = (port: SessionPort, turn: number, words: ReadonlyArray<string>): ScriptedTurn => {
  const update = (update: SessionUpdate, of = turn) =>
    Effect.suspend(() => port.append(of, updateMessage("thread", update)))
  return {
    words,
    update,
    say: (text) => update(textChunk(text)),
    end: (failure, stopReason = "end_turn") =>
      port.post({
        event: { type: "turn.ended", turn, stopReason, failure: failure ?? null },
        usage: { inputTokens: 3, cachedInputTokens: 1, outputTokens: 2, reasoningTokens: 0, totalTokens: 5 }
      }),
    exit: (message) =>
      Effect.flatMap(crashed(message), (death) => port.post({ event: { type: "process.exited", ...death } })),
    requestApproval: (kind, nth, turnsBack = 0) =>
      port.requestApproval({
        id: `${nth}`,
        turn: turn - turnsBack,
        kind,
        title: `use ${kind}`,
        action: { _tag: "Other" },
        toolCallId: `t${nth}`,
        raw: { kind }
      }),
    ask: (fields, nth = 0) =>
      port.ask({ id: `q${nth}`, turn, title: "What do you want?", fields, toolCallId: null, raw: { fields } })
  }
}

const tool = (toolCallId: string, status: "in_progress" | "completed", more: Partial<SessionUpdate> = {}) => ({
  sessionUpdate: "tool_call",
  toolCallId,
  status,
  ...more
})
const textField = (id: string): QuestionField => ({ id, label: id, type: "text", required: false })
const toolEnds = (toolCallId: string) => ({ sessionUpdate: "tool_call_update", toolCallId, status: "completed" })
const wholeAnswer = { ...textChunk("Done."), _meta: { "troupe/completed": true } }

/** A field of each type, the first one required. */
export const askedFields: ReadonlyArray<QuestionField> = [
  {
    id: "colour",
    label: "Which colour?",
    description: "Of the button.",
    type: "choice",
    options: [
      { value: "red", label: "Red", description: "As fire." },
      { value: "blue", label: "Blue" }
    ],
    other: true,
    required: true
  },
  { id: "count", label: "How many?", type: "number", required: false },
  { id: "sure", label: "Sure?", type: "boolean", required: false },
  {
    id: "sizes",
    label: "Which sizes?",
    type: "choices",
    options: [
      { value: "s", label: "Small" },
      { value: "l", label: "Large" }
    ],
    required: false
  },
  { id: "token", label: "The token", type: "text", required: false, secret: true }
]

/** By a prompt's first word. A prompt that begins with none of them is echoed. */
const directives: Readonly<Record<string, (turn: ScriptedTurn) => Effect.Effect<void>>> = {
  /** Begins to speak and never ends. */
  hang: ({ say }) => say("thinking"),

  /** The process exits mid-turn. */
  die: ({ exit, say }) => Effect.andThen(say("half an ans"), exit("it died")),

  /** A defect in our own code. */
  defect: () => Effect.die(new Error("a bug of ours")),

  /** `words N`: says N words, each a chunk. */
  words: ({ end, say, words: [count] }) =>
    Effect.andThen(
      Effect.forEach(Array.from({ length: Number(count) }).keys(), (n) => say(`w${n} `), { discard: true }),
      end()
    ),

  /** Gives a whole answer and never ends. `before`: begins a tool after it; `meanwhile`: one that ran then ends. */
  answer: ({ update, words: [when] }) =>
    Effect.gen(function* () {
      const call = { title: "a tool", kind: "other" }
      if (when === "meanwhile") yield* update(tool("t", "in_progress", call))
      yield* update(wholeAnswer)
      if (when === "before") yield* update(tool("t", "completed", call))
      if (when === "meanwhile") yield* update(toolEnds("t"))
    }),

  /** Says that its turn was aborted, and ends it well. `unended`: not at all; `whole`: nor that, in one text. */
  abort: ({ end, say, update, words: [how] }) =>
    Effect.gen(function* () {
      if (how === "whole")
        return yield* update({
          ...wholeAnswer,
          content: { type: "text", text: "<turn_aborted>You stopped me.</turn_aborted>" }
        })
      yield* say("As far as I got. <turn_")
      yield* say("aborted>You stopped me.</turn_aborted>")
      if (how === undefined) yield* end()
    }),

  /** Quotes the marker of an aborted turn as code. `unended`: and never ends. */
  "quote-abort": ({ end, say, words: [unended] }) =>
    Effect.gen(function* () {
      yield* say("Codex writes `<turn_aborted>` then.")
      if (unended === undefined) yield* end()
    }),

  /** Ends a tool and goes silent. `talks`: says one thing more first. */
  tool: ({ say, update, words: [talks] }) =>
    Effect.gen(function* () {
      yield* update(toolEnds("t"))
      if (talks !== undefined) yield* say("thinking")
    }),

  /** Ends its turn while its tool `b` still runs. */
  "leave-tool": ({ end, update }) =>
    Effect.gen(function* () {
      yield* update(tool("a", "completed", { kind: "execute" }))
      yield* update(tool("b", "in_progress", { kind: "execute" }))
      yield* end()
    }),

  /** Ends tool `b` of turn 1, in a turn of its own. */
  "end-left-tool": ({ end, update }) => Effect.andThen(update(toolEnds("b"), 1), end()),

  /** `approvals K…`: requests an approval for a tool of each kind at once, and says what was decided. */
  approvals: ({ end, requestApproval, say, words: kinds }) =>
    Effect.gen(function* () {
      const decisions = yield* Effect.forEach(kinds, (kind, nth) => requestApproval(kind, nth), {
        concurrency: "unbounded"
      })
      yield* say(decisions.join(" "))
      yield* end()
    }),

  /** Requests an approval for the turn before, and says what was decided. */
  "late-approval": ({ end, requestApproval, say }) =>
    Effect.andThen(Effect.flatMap(requestApproval("execute", 0, 1), say), end()),

  /** `question N`: asks N questions at once, one by default, and says what was answered. `many-fields`: one too large. */
  question: ({ ask, end, say, words: [count = "1"] }) =>
    Effect.gen(function* () {
      const fields = count === "many-fields" ? Array.from({ length: 33 }, (_, n) => textField(`f${n}`)) : askedFields
      const nths = Array.from({ length: Number(count) || 1 }).keys()
      const answers = yield* Effect.forEach(nths, (nth) => ask(fields, nth), { concurrency: "unbounded" })
      yield* say(answers.map((given) => (given === null ? "declined" : JSON.stringify(given))).join(" "))
      yield* end()
    }),

  /** Ends a tool, which begins a watched silence, and asks a question. */
  "tool-question": ({ ask, end, say, update }) =>
    Effect.gen(function* () {
      yield* update(toolEnds("t"))
      const answers = yield* ask(askedFields)
      yield* say(answers === null ? "declined" : JSON.stringify(answers))
      yield* end()
    }),

  /** `fail-quota N`: ends with a used-up account, to be tried again in N ms. */
  "fail-quota": ({ end, words: [millis] }) =>
    Effect.gen(function* () {
      const retryAt = millis === undefined ? {} : { retryAt: (yield* Clock.currentTimeMillis) + Number(millis) }
      yield* end({ class: "quota", message: "used up", ...retryAt }, "error")
    }),

  /** Compacts its context: a turn without a prompt. */
  compact: ({ end, update }) =>
    Effect.gen(function* () {
      yield* update({ sessionUpdate: "session_info_update", _meta: { "troupe/compaction": "completed" } })
      yield* update({ sessionUpdate: "usage_update", used: 7, size: 1_000 })
      yield* end()
    })
}

export const play = (port: SessionPort, turn: number, prompt: string): Effect.Effect<void> => {
  // Behind the context that its app may have given it.
  const [directive = "", ...words] = prompt.split("\n\n").at(-1)!.split(" ")
  const scripted = scriptedTurn(port, turn, words)
  return directives[directive]?.(scripted) ?? Effect.andThen(scripted.say(`you said: ${prompt}`), scripted.end())
}
