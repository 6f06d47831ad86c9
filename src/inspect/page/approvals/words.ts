/** What an approval is called, and which steps change the open ones. */
import type { Approval, SlimStep } from "../../contract.ts"
import { toneOf } from "../../client/tones.ts"

/** Whether the open questions may be others after this step. */
export const touchesApprovals = ({ event, from, to }: SlimStep): boolean =>
  event.startsWith("approval.") || (from !== to && (toneOf(from) === "asking" || toneOf(to) === "asking"))

/** What the agent wants to do, for ACP's kinds of tools. */
const wants: Readonly<Record<string, string>> = {
  read: "wants to read",
  edit: "wants to edit",
  delete: "wants to delete",
  move: "wants to move",
  search: "wants to search",
  execute: "wants to run",
  think: "wants to think",
  fetch: "wants to fetch",
  switch_mode: "wants to switch its mode"
}

export const wantsTo = (kind: string): string => wants[kind] ?? "asks for permission"

const decisions = { once: "Allowed once", session: "Allowed for the session", deny: "Denied" } as const

/** How an approval ended, in words. */
export const endOf = ({ decided_by, decision, fields, status }: Approval): string => {
  if (status === "expired") return "Declined: nobody answered in time"
  if (status === "withdrawn") return "Withdrawn: its turn ended"
  if (decision === null) return "Waits for an answer"
  const word = fields === null ? decisions[decision] : decision === "deny" ? "Declined" : "Answered"
  return decided_by === null ? word : `${word} by ${decided_by}`
}

/** How much of the time to answer is left, from 1 to 0. */
export const leftOf = ({ created_at, deadline_at }: Approval, now: number): number => {
  const whole = deadline_at - created_at
  return whole <= 0 ? 0 : Math.min(1, Math.max(0, (deadline_at - now) / whole))
}
