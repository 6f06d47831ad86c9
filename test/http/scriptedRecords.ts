/** The sessions, turns and events of the scripted services: the text of a prompt decides how its turn ends. */
import { updateMessage } from "../../src/domain/Acp.ts"
import { troupeMessage } from "../../src/domain/events/troupeMessage.ts"
import { AppName, SessionId } from "../../src/domain/Ids.ts"
import type { SessionView, StoredEvent } from "../../src/domain/Session.ts"
import { noUsage } from "../../src/domain/Turn.ts"
import type { TurnRecord, TurnResult, TurnStatus } from "../../src/domain/Turn.ts"

export const sessionView = (id: string): SessionView => ({
  id: SessionId.make(id),
  app: AppName.make("the-app"),
  agent: "demo",
  cwd: "/srv/work",
  ownsCwd: true,
  model: null,
  mode: null,
  effort: null,
  systemPrompt: null,
  permissions: "deny",
  setup: {},
  meta: { ticket: "T-1", nested: { camelCase: [1, null] } },
  state: "idle",
  substate: "idle.asleep",
  turnCount: 3,
  createdAt: 1_700_000_000_123,
  lastActivityAt: 1_700_000_001_000,
  lastTurnAt: 1_700_000_001_000,
  closedAt: null,
  threadId: "thread-1",
  lastOutcome: null,
  opening: "Say hello",
  restarts: 1,
  usage: { ...noUsage, inputTokens: 7, totalTokens: 7 },
  cost: { amount: 0.25, currency: "USD" },
  process: { state: "up", pid: 4242, restarts: 1, configured: { mode: "default" } },
  choices: null,
  parked: null
})

export const turnRecord = (session: string, index: number, status: TurnStatus): TurnRecord => ({
  session: SessionId.make(session),
  index,
  kind: "prompt",
  status,
  prompt: "hello",
  content: null,
  settings: {},
  givenContext: null,
  submittedAt: 1_700_000_000_000,
  endedAt: status === "running" ? null : 1_700_000_000_250,
  stopReason: status === "completed" ? "end_turn" : null,
  usage: { inputTokens: 1, cachedInputTokens: 2, outputTokens: 3, reasoningTokens: 4, totalTokens: 10 },
  failure: null,
  interrupted: false,
  toolIterations: 2,
  threadId: "thread-1",
  agentTurnId: "agent-turn-1",
  contextLost: false,
  contextAsOf: null,
  workdirLost: false
})

export const chunk = (session: string, text: string) =>
  updateMessage(session, { sessionUpdate: "agent_message_chunk", content: { type: "text", text } })

const ending = (index: number, stopReason: string) => ({ jsonrpc: "2.0", id: index, result: { stopReason } }) as const

export const storedEvents = (session: string, texts: ReadonlyArray<string>): ReadonlyArray<StoredEvent> =>
  [
    troupeMessage("state", { from: "turning.starting", to: "turning.running", event: "process.ready" }),
    ...texts.map((text) => chunk(session, text)),
    ending(1, "end_turn")
  ].map((message, i) => ({ session: SessionId.make(session), seq: i + 1, turn: 1, at: 1_700_000_000_000 + i, message }))

export const resultOf = (session: string, index: number, prompt: string): TurnResult => {
  const events = [chunk(session, "Hello"), ending(index, "end_turn")]
  const messages = [{ role: "assistant", content: "Hello" }] as const
  const as = (status: TurnStatus, patch: Partial<TurnRecord> = {}): TurnResult => ({
    turn: { ...turnRecord(session, index, status), ...patch },
    finalText: "Hello",
    events,
    messages,
    compacted: false,
    context: null,
    handed: true,
    acceptedWithoutEnd: false,
    structured: null,
    schemaMismatch: null,
    interruptReason: null,
    recovered: null
  })
  switch (prompt) {
    case "interrupted":
      return as("interrupted", { interrupted: true })
    case "crash":
      return as("failed", {
        failure: { class: "crash", message: "The agent's process ended with code 1.", stderr: "panic: at the disco" }
      })
    case "lost":
      return as("failed", { failure: { class: "not_delivered", message: "Troupe stopped first. Send it again." } })
    case "unknown outcome":
      return as("failed", { failure: { class: "outcome_unknown", message: "Look before you send it again." } })
    case "late":
      return as("timed_out", { failure: { class: "timeout", message: "The turn took longer than 1 s." } })
    case "no slot":
      return as("failed", { failure: { class: "pool_full", message: "All 8 agent processes are at work." } })
    case "forgetful":
      return as("completed", { contextLost: true })
    default:
      return as("completed")
  }
}
