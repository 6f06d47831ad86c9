/** What becomes of a process whose output Troupe could not read because of a fault of its own. */
import { Cause, Effect } from "effect"
import { AgentFailed } from "./Agent.ts"
import type { Child } from "./Child.ts"

/**
 * A defect in the reading of an agent's output fails as `protocol`. Its reader is gone with it, so a process that went on
 * would be one that nobody hears: its turn would wait for its deadline, and its next prompt could not be answered.
 */
export const failUnreadable = (child: Child) =>
  Effect.catchDefect((defect: unknown) => {
    // It may quote the agent.
    const reason = child.redact(defect instanceof Error ? defect.message : String(defect))
    return Effect.andThen(
      Effect.logError("Defect in the reading of an agent's output", child.redact(Cause.pretty(Cause.die(defect)))),
      Effect.fail(
        new AgentFailed({
          class: "protocol",
          message: `Troupe could not read what the agent wrote, which is a fault of Troupe's: ${reason}. Its process is given up.`
        })
      )
    )
  })
