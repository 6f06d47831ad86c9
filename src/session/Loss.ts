/** What is known of a turn after the death of the supervisor that ran it. */
import type { OutboxCommand } from "../ledger/Ledger.ts"

/** What is true of a turn whose process was lost: its prompt was attempted, or it never was. */
export const lossOf = (state: string, owed: ReadonlyArray<OutboxCommand>) =>
  state === "turning.queued" ||
  state === "turning.starting" ||
  owed.some(({ claimed: attempted, type }) => type === "handPrompt" && !attempted)
    ? {
        class: "not_delivered",
        message: "Troupe stopped before the prompt was handed to the agent. It is safe to send it again."
      }
    : {
        class: "outcome_unknown",
        message:
          "Troupe stopped while the agent was at work on this turn. Whether it finished is not known; look at what it did before you send the prompt again."
      }
