/**
 * The watchdog for an agent that goes silent after a tool: armed by a tool's end, disarmed by any other sign of life.
 *
 * Silence while it thinks, or while a tool runs, is none of its business: only the gap after a tool's end is where real
 * agents were seen to hang for ever.
 */
import { Clock, Effect } from "effect"
import type { AcpMessage } from "../domain/Acp.ts"
import type { SessionTimers } from "./SessionTimers.ts"

const timer = "quiet"

export interface Watchdog {
  /** A person is being asked, or no more: the agent waits for that and not for itself. */
  readonly hold: (asking: boolean) => void
  /** Any sign of life. Only the end of a tool of the turn that runs can be followed by a silence of that turn's. */
  readonly heard: (message: AcpMessage, ofThisTurn: boolean) => Effect.Effect<void>
  /** The turn is over. */
  readonly rest: () => void
}

export const make = (timers: SessionTimers, quietMillis: number): Watchdog => {
  let armed = false
  let held = false
  const rest = () => {
    if (!armed) return
    armed = false
    timers.disarm(timer)
  }
  const begin = Effect.map(Clock.currentTimeMillis, (now) => {
    armed = true
    timers.arm(timer, now + quietMillis, { type: "agent.quiet" })
  })
  return {
    hold: (asking) => {
      held = asking
      if (asking) rest()
    },
    heard: (message, ofThisTurn) =>
      Effect.suspend(() => {
        if (isAside(message)) return armed ? begin : Effect.void
        rest()
        if (held || !ofThisTurn || !endsTool(message)) return Effect.void
        return begin
      }),
    rest
  }
}

/**
 * What agents tell beside their work. Codex counts the tokens of the answer that called a tool after that tool's end, so
 * this is no sign that it goes on; but silence is counted from here.
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

export const endsTool = (message: AcpMessage): boolean => {
  if (!("method" in message) || message.method !== "session/update") return false
  const { sessionUpdate, status } = message.params.update
  return sessionUpdate.startsWith("tool_call") && (status === "completed" || status === "failed")
}
