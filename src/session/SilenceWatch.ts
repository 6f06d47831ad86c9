/**
 * The watchdog for an agent that goes silent after a tool: armed by a tool's end, disarmed by any other sign of life.
 *
 * Silence while it thinks, or while a tool runs, is watched only where an operator wants that (`turnQuietMillis`): only in
 * the gap after a tool's end were real agents seen to hang for ever, and a long build says nothing either.
 */
import type { Clock } from "effect"
import type { AcpMessage } from "../domain/Acp.ts"
import type { Limits } from "../domain/Settings.ts"
import type { SessionTimers } from "./SessionTimers.ts"

type Arming = Pick<SessionTimers, "armUnstored" | "disarm">
type Now = Pick<Clock.Clock, "currentTimeMillisUnsafe">

const quietTimer = "quiet"

export class SilenceWatch {
  readonly #timers: Arming
  readonly #clock: Now
  readonly #afterTool: number
  readonly #turnQuietMillis: number | null
  #isArmed = false
  /** How long the silence may be that is watched now. */
  #quietMillis: number
  #isHeld = false

  constructor(
    timers: Arming,
    { postToolQuietMillis, turnQuietMillis }: Pick<Limits, "postToolQuietMillis" | "turnQuietMillis">,
    clock: Now
  ) {
    this.#timers = timers
    this.#clock = clock
    this.#afterTool = Math.min(postToolQuietMillis, turnQuietMillis ?? postToolQuietMillis)
    this.#quietMillis = this.#afterTool
    this.#turnQuietMillis = turnQuietMillis
  }

  hold(asking: boolean): void {
    this.#isHeld = asking
    if (asking) this.end()
  }

  /** The agent got the turn's prompt. */
  handed(now: number): void {
    if (this.#turnQuietMillis === null) return
    this.#quietMillis = this.#turnQuietMillis
    this.#arm(now)
  }

  /** Only the end of a tool of the turn that runs can begin a silence of that turn. */
  received(message: AcpMessage, ofThisTurn: boolean): void {
    if (isAside(message)) {
      if (this.#isArmed) this.#arm(this.#clock.currentTimeMillisUnsafe())
      return
    }
    this.end()
    const millis = endsTool(message) ? this.#afterTool : this.#turnQuietMillis
    if (this.#isHeld || !ofThisTurn || millis === null) return
    this.#quietMillis = millis
    this.#arm(this.#clock.currentTimeMillisUnsafe())
  }

  end(): void {
    if (!this.#isArmed) return
    this.#isArmed = false
    this.#timers.disarm(quietTimer)
  }

  #arm(now: number): void {
    this.#isArmed = true
    this.#timers.armUnstored({ timer: quietTimer, dueAt: now + this.#quietMillis, event: { type: "agent.quiet" } })
  }
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

export const isAside = (message: AcpMessage): boolean =>
  "method" in message && message.method === "session/update" && asides.has(message.params.update.sessionUpdate)

export const endsTool = (message: AcpMessage): boolean => {
  if (!("method" in message) || message.method !== "session/update") return false
  const { sessionUpdate, status } = message.params.update
  return sessionUpdate.startsWith("tool_call") && (status === "completed" || status === "failed")
}
