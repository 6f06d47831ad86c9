/**
 * Watches what an agent says in a turn, besides recording it: the silence after a tool, a text that says that the turn
 * was aborted, a tool call that ends after its turn, the tools that run, and how long its silences are.
 */
import { Clock, Effect } from "effect"
import { ToolCount } from "../conversation/ToolCount.ts"
import type { AcpMessage } from "../domain/Acp.ts"
import type { Limits } from "../domain/Settings.ts"
import { abortMarker } from "../domain/Turn.ts"
import { RuntimeSettings } from "../runtime/RuntimeSettings.ts"
import * as Metrics from "../runtime/Metrics.ts"
import { SessionShared } from "../runtime/SessionShared.ts"
import * as Transcript from "../runtime/Transcript.ts"
import type { CommittedStep } from "./commit.ts"
import type { Journal } from "./Journal.ts"
import { OpenTools } from "./OpenTools.ts"
import type { OpenTool } from "./OpenTools.ts"
import type { Session } from "./Session.ts"
import type { SessionTimers } from "./SessionTimers.ts"

export interface TurnWatch {
  /** The agent said something: of a turn, or of none. Noted when it is called; its effect is done already, but for a recount. */
  readonly received: (turn: number | null, message: AcpMessage) => Effect.Effect<void>
  /** The running turn's text may say that the turn was aborted; the projection of the whole text decides. */
  readonly suspectsAbort: () => boolean
  /** The tool calls of the turn that settled last that had ended by then; `null`: not all of the turn was seen here. */
  readonly toolIterations: (turn: number) => number | null
  readonly react: (committed: CommittedStep) => void
  /** The tools of the running turn that have not ended, the oldest first. */
  readonly tools: () => ReadonlyArray<OpenTool>
  /** When the running turn's agent said something last, or got the prompt; `null`: no agent is at a turn. */
  readonly heardAt: () => number | null
}

export const make = Effect.fnUntraced(function* (session: Session, timers: SessionTimers, journal: Journal) {
  const { limits } = yield* RuntimeSettings
  const { silences } = yield* SessionShared
  const transcript = yield* Transcript.make
  const scope = yield* Effect.scope
  const { currentTimeMillisUnsafe: now } = yield* Clock.Clock
  const abort = abortWatch(timers, now)
  const silence = silenceWatch(timers, limits, now)
  const meters = yield* Metrics.turnMeters
  /** Of the turn that was handed over last, and of the one that settled last. */
  let counted: { readonly turn: number; readonly tools: ToolCount } | null = null
  let settledCount: { readonly turn: number; readonly toolIterations: number | null } | null = null
  const tools = new OpenTools()
  let heardAt: number | null = null
  let isAsking = false
  /** When the turn was handed over, until its agent is heard. */
  let handedAt: number | null = null

  const heard = (message: AcpMessage) => {
    const at = now()
    // While a tool runs or a person is asked, the agent waits for that.
    if (heardAt !== null && tools.isEmpty && !isAsking) silences.ended(session.record.agent, at - heardAt)
    heardAt = at
    tools.received(message, at)
    if (handedAt === null || isAside(message)) return
    meters.firstOutput(session.record.agent, at - handedAt)
    handedAt = null
  }

  /** In the background: the agent's reader has more to read. */
  const recount = (turn: number) =>
    journal.flush.pipe(
      Effect.andThen(transcript.resultWithStoredToolCount(session.record.id, turn)),
      Effect.catchCause((cause) => Effect.logWarning("A tool call that ended late could not be counted", cause)),
      Effect.forkIn(scope)
    )

  const watch: TurnWatch = {
    received: (turn, message) => {
      const isCurrent = turn !== null && turn === session.openTurn
      silence.received(message, isCurrent)
      if (isCurrent) heard(message)
      if (counted !== null && turn === counted.turn) counted.tools.received(message, session.record.threadId)
      if (isCurrent) abort.received(turn, message)
      else if (turn !== null && endsTool(message)) return recount(turn)
      return Effect.void
    },
    suspectsAbort: abort.suspects,
    toolIterations: (turn) => (settledCount?.turn === turn ? settledCount.toolIterations : null),
    react: ({ at, before, decision, settled }) => {
      if (settled.some(({ turn }) => turn === before.context.turn)) {
        if (counted !== null) settledCount = { turn: counted.turn, toolIterations: counted.tools.ended }
        counted = null
        abort.end()
        silence.end()
        tools.clear()
        heardAt = null
        handedAt = null
      }
      // A person is being asked: the agent waits for that, and its silence means nothing.
      const asked = isAsking
      isAsking = decision.next.hasTag("approvalsOpen")
      silence.hold(isAsking)
      if (asked && !isAsking && heardAt !== null) heardAt = at
      if (decision.next.hasTag("agentAtWork") && !before.hasTag("agentAtWork")) {
        silence.handed(at)
        heardAt = at
      }
      for (const command of decision.commands) {
        if (command.type !== "handPrompt") continue
        const { turn } = command.params
        if (counted?.turn !== turn) counted = { turn, tools: new ToolCount() }
        handedAt = at
      }
    },
    tools: () => tools.all,
    heardAt: () => heardAt
  }
  return watch
})

const quietTimer = "quiet"

/**
 * The watchdog for an agent that goes silent after a tool: armed by a tool's end, disarmed by any other sign of life.
 *
 * Silence while it thinks, or while a tool runs, is watched only where an operator wants that (`turnQuietMillis`): only in
 * the gap after a tool's end were real agents seen to hang for ever, and a long build says nothing either.
 */
export const silenceWatch = (
  timers: Pick<SessionTimers, "armUnstored" | "disarm">,
  { postToolQuietMillis, turnQuietMillis }: Pick<Limits, "postToolQuietMillis" | "turnQuietMillis">,
  currentMillis: () => number
) => {
  const afterTool = Math.min(postToolQuietMillis, turnQuietMillis ?? postToolQuietMillis)
  let isArmed = false
  /** How long the silence may be that is watched now. */
  let quietMillis = afterTool
  let isHeld = false
  const end = () => {
    if (!isArmed) return
    isArmed = false
    timers.disarm(quietTimer)
  }
  const arm = (now: number) => {
    isArmed = true
    timers.armUnstored({ timer: quietTimer, dueAt: now + quietMillis, event: { type: "agent.quiet" } })
  }
  return {
    hold: (asking: boolean) => {
      isHeld = asking
      if (asking) end()
    },
    /** The agent got the turn's prompt. */
    handed: (now: number) => {
      if (turnQuietMillis === null) return
      quietMillis = turnQuietMillis
      arm(now)
    },
    /** Only the end of a tool of the turn that runs can begin a silence of that turn. */
    received: (message: AcpMessage, ofThisTurn: boolean) => {
      if (isAside(message)) {
        if (isArmed) arm(currentMillis())
        return
      }
      end()
      const millis = endsTool(message) ? afterTool : turnQuietMillis
      if (isHeld || !ofThisTurn || millis === null) return
      quietMillis = millis
      arm(currentMillis())
    },
    end
  }
}

const abortTimer = "aborted"
/** After the last chunk, where the agent does not mark a text as whole. */
const abortGraceMillis = 5_000

/**
 * Looks for a text that says that its turn was aborted. No other end may come of such a turn, and the agent may still be
 * at work.
 *
 * The marker is only suspected here, chunk by chunk. Whether the text quotes it or means it is for the projection to
 * say, once the text is whole: marked as such, or followed by nothing for a while.
 */
const abortWatch = (timers: Pick<SessionTimers, "armUnstored" | "disarm">, currentMillis: () => number) => {
  let isSuspected = false
  /** The end of the text so far, as long as a marker that is cut in two. */
  let tail = ""
  let messageId: unknown
  return {
    received: (turn: number, message: AcpMessage) => {
      const chunk = textChunk(message)
      if (chunk === null) return
      const text = chunk.id === messageId ? tail + chunk.text : chunk.text
      messageId = chunk.id
      tail = text.slice(1 - abortMarker.length)
      isSuspected ||= text.includes(abortMarker)
      if (!isSuspected) return
      const dueAt = currentMillis() + (chunk.isWhole ? 0 : abortGraceMillis)
      timers.armUnstored({ timer: abortTimer, dueAt, event: { type: "turn.aborted", turn } })
    },
    suspects: () => isSuspected,
    end: () => {
      if (isSuspected) timers.disarm(abortTimer)
      isSuspected = false
      tail = ""
      messageId = undefined
    }
  }
}

const textChunk = (message: AcpMessage) => {
  if (!("method" in message) || message.method !== "session/update") return null
  const { update } = message.params
  if (update.sessionUpdate !== "agent_message_chunk") return null
  const { text } = (update["content"] ?? {}) as { readonly text?: unknown }
  const meta = (update["_meta"] ?? {}) as { readonly "troupe/completed"?: unknown }
  return typeof text === "string" ? { text, id: update["messageId"], isWhole: meta["troupe/completed"] === true } : null
}

/**
 * What agents report beside their work. Codex counts the tokens of the answer that called a tool after that tool's end,
 * so a report is no sign that it goes on; but silence is counted from the report.
 */
const asides: ReadonlySet<string> = new Set([
  "usage_update",
  "session_info_update",
  "available_commands_update",
  "current_mode_update",
  "config_option_update"
])

const isAside = (message: AcpMessage): boolean =>
  "method" in message && message.method === "session/update" && asides.has(message.params.update.sessionUpdate)

const endsTool = (message: AcpMessage): boolean => {
  if (!("method" in message) || message.method !== "session/update") return false
  const { sessionUpdate, status } = message.params.update
  return sessionUpdate.startsWith("tool_call") && (status === "completed" || status === "failed")
}
