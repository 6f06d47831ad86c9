/**
 * Watches what an agent says in a turn, besides recording it: the silence after a tool, a text that says that the turn
 * was aborted, a tool call that ends after its turn, the tools that run, and how long its silences are.
 */
import { Clock, Effect } from "effect"
import type { Scope } from "effect"
import { ToolCount } from "../conversation/ToolCount.ts"
import type { AcpMessage } from "../domain/Acp.ts"
import { RuntimeSettings } from "../runtime/RuntimeSettings.ts"
import { turnMeters } from "../runtime/TurnMeters.ts"
import type { TurnMeters } from "../runtime/TurnMeters.ts"
import { SessionShared } from "../runtime/SessionShared.ts"
import * as Transcript from "../runtime/Transcript.ts"
import { AbortWatch } from "./AbortWatch.ts"
import type { CommittedStep } from "./commit.ts"
import type { Journal } from "./Journal.ts"
import { OpenTools } from "./OpenTools.ts"
import type { OpenTool } from "./OpenTools.ts"
import type { Session } from "./Session.ts"
import type { HandleWatch } from "./SessionHandle.ts"
import type { SessionTimers } from "./SessionTimers.ts"
import { endsTool, isAside, SilenceWatch } from "./SilenceWatch.ts"

interface Services {
  readonly journal: Journal
  readonly silences: SessionShared["Service"]["silences"]
  readonly meters: TurnMeters
  readonly transcript: Transcript.Transcript
  readonly scope: Scope.Scope
  readonly clock: Clock.Clock
}

export class TurnWatch implements HandleWatch {
  readonly #session: Session
  readonly #services: Services
  readonly #silence: SilenceWatch
  readonly #abort: AbortWatch
  readonly #tools = new OpenTools()
  /** Of the turn that was handed over last, and of the one that settled last. */
  #counted: { readonly turn: number; readonly tools: ToolCount } | null = null
  #settledCount: { readonly turn: number; readonly toolIterations: number | null } | null = null
  #heardAt: number | null = null
  #isAsking = false
  /** When the turn was handed over, until its agent is heard. */
  #handedAt: number | null = null

  constructor(session: Session, silence: SilenceWatch, abort: AbortWatch, services: Services) {
    this.#session = session
    this.#services = services
    this.#silence = silence
    this.#abort = abort
  }

  /** The agent said something: of a turn, or of none. Noted when it is called; its effect is done already, but for a recount. */
  received(turn: number | null, message: AcpMessage): Effect.Effect<void> {
    const isCurrent = turn !== null && turn === this.#session.openTurn
    this.#silence.received(message, isCurrent)
    if (isCurrent) this.#heard(message)
    const counted = this.#counted
    if (counted !== null && turn === counted.turn) counted.tools.received(message, this.#session.record.threadId)
    if (isCurrent) this.#abort.received(turn, message)
    else if (turn !== null && endsTool(message)) return this.#recount(turn)
    return Effect.void
  }

  /** The running turn's text may say that the turn was aborted; the projection of the whole text decides. */
  suspectsAbort(): boolean {
    return this.#abort.suspects()
  }

  /** The tool calls of the turn that settled last that had ended by then; `null`: not all of the turn was seen here. */
  toolIterations(turn: number): number | null {
    return this.#settledCount?.turn === turn ? this.#settledCount.toolIterations : null
  }

  /** The tools of the running turn that have not ended, the oldest first. */
  tools(): ReadonlyArray<OpenTool> {
    return this.#tools.all
  }

  /** When the running turn's agent said something last, or got the prompt; `null`: no agent is at a turn. */
  heardAt(): number | null {
    return this.#heardAt
  }

  react({ at, before, decision, settled }: CommittedStep): void {
    if (settled.some(({ turn }) => turn === before.context.turn)) this.#forget()
    // A person is being asked: the agent waits for that, and its silence means nothing.
    const asked = this.#isAsking
    this.#isAsking = decision.next.hasTag("approvalsOpen")
    this.#silence.hold(this.#isAsking)
    if (asked && !this.#isAsking && this.#heardAt !== null) this.#heardAt = at
    if (decision.next.hasTag("agentAtWork") && !before.hasTag("agentAtWork")) {
      this.#silence.handed(at)
      this.#heardAt = at
    }
    for (const command of decision.commands) {
      if (command.type !== "handPrompt") continue
      const { turn } = command.params
      if (this.#counted?.turn !== turn) this.#counted = { turn, tools: new ToolCount() }
      this.#handedAt = at
    }
  }

  #heard(message: AcpMessage): void {
    const { clock, meters, silences } = this.#services
    const { agent } = this.#session.record
    const at = clock.currentTimeMillisUnsafe()
    // While a tool runs or a person is asked, the agent waits for that.
    if (this.#heardAt !== null && this.#tools.isEmpty && !this.#isAsking) silences.ended(agent, at - this.#heardAt)
    this.#heardAt = at
    this.#tools.received(message, at)
    if (this.#handedAt === null || isAside(message)) return
    meters.firstOutput(agent, at - this.#handedAt)
    this.#handedAt = null
  }

  /** The running turn has settled. */
  #forget(): void {
    const counted = this.#counted
    if (counted !== null) this.#settledCount = { turn: counted.turn, toolIterations: counted.tools.ended }
    this.#counted = null
    this.#abort.end()
    this.#silence.end()
    this.#tools.clear()
    this.#heardAt = null
    this.#handedAt = null
  }

  /** In the background: the agent's reader has more to read. */
  #recount(turn: number): Effect.Effect<void> {
    const { journal, scope, transcript } = this.#services
    return journal.flush.pipe(
      Effect.andThen(transcript.resultWithStoredToolCount(this.#session.record.id, turn)),
      Effect.catchCause((cause) => Effect.logWarning("A tool call that ended late could not be counted", cause)),
      Effect.forkIn(scope),
      Effect.asVoid
    )
  }
}

export const make = Effect.fnUntraced(function* (session: Session, timers: SessionTimers, journal: Journal) {
  const { limits } = yield* RuntimeSettings
  const clock = yield* Clock.Clock
  return new TurnWatch(session, new SilenceWatch(timers, limits, clock), new AbortWatch(timers, clock), {
    journal,
    silences: (yield* SessionShared).silences,
    meters: yield* turnMeters,
    transcript: yield* Transcript.make,
    scope: yield* Effect.scope,
    clock
  })
})
