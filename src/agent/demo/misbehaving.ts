/** How the demo agent's turns fail, and end too early, as those of real agents do. */
import type { Turn } from "./turn.ts"
import { codes, Fault, text } from "./wire.ts"

/** Leaves a tool call open when the turn ends. */
export const late = (turn: Turn, millis: number) => {
  const toolCallId = turn.nextCallId()
  const call = { toolCallId, kind: "execute", title: "Background work", rawInput: {}, content: [] }
  turn.update({ sessionUpdate: "tool_call", ...call, status: "in_progress" })
  turn.afterwards.push(async () => {
    setTimeout(() => {
      const content = [{ type: "content", content: text("Late, but done.") }]
      turn.update({ sessionUpdate: "tool_call_update", toolCallId, status: "completed", content })
    }, millis)
  })
}

/** As recorded of claude-agent-acp and codex-acp: `data.errorKind` if untyped, `sessionFailure.category` if typed. */
const failures = {
  auth: { errorKind: "auth", category: "access", title: "Authentication required" },
  quota: { errorKind: "rate_limit", category: "limit", title: "The demo's quota is used up, as you asked" },
  model: { errorKind: "server_error", category: "service", title: "The demo's model failed, as you asked" }
} as const

export type FailureKind = keyof typeof failures

export const fail = (turn: Turn, how: FailureKind) => {
  const { category, errorKind, title } = failures[how]
  // Both real adapters send this one alike, typed or not.
  if (how === "auth") throw new Fault(codes.authRequired, title)
  if (!turn.typedFailures) throw new Fault(codes.internal, `Internal error: ${title}`, { errorKind })
  const id = `${turn.session.id}:${turn.session.turns}:error`
  const sessionFailure = { id, revision: 1, category, severity: "error", title, actions: ["retry"] }
  turn.meta = { jetbrains: { air: { version: 1, sessionFailure } } }
}
