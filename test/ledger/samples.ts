/** Records with every field set, and a temporary directory that is removed with its test. */
import { Effect } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { AppName, LeaseId, SessionId } from "../../src/domain/Ids.ts"
import type { SessionRecord, StoredEvent } from "../../src/domain/Session.ts"
import { noUsage } from "../../src/domain/Turn.ts"
import type { TurnRecord } from "../../src/domain/Turn.ts"
import { updateMessage } from "../../src/domain/Acp.ts"
import type { LedgerWrite, LeaseRecord, StepRecord } from "../../src/ledger/Ledger.ts"

export const scratch = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "troupe-test-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
)

/** A fresh file name in a directory of its own. */
export const scratchFile = Effect.map(scratch, (directory) => join(directory, "ledger.sqlite"))

export const app = AppName.make("desk")
export const otherApp = AppName.make("shop")
export const id = SessionId.make("ses_0123456789abcdefghjkmnpqrs")

export const session = (fields: Partial<SessionRecord> = {}): SessionRecord => ({
  id,
  app,
  agent: "demo",
  cwd: "/srv/repo",
  ownsCwd: true,
  model: "large",
  mode: "plan",
  effort: null,
  systemPrompt: "Be brief.",
  permissions: "approve_reads",
  setup: { mcpServers: ["tickets", { name: "own", command: "serve", env: { TOKEN: "ü" } }], env: { A: "1" } },
  meta: { ticket: 7, tags: ["a", null], ünï: { deep: true } },
  state: "idle",
  substate: "idle.asleep",
  turnCount: 0,
  createdAt: 1_700_000_000_000,
  lastActivityAt: 1_700_000_000_000,
  lastTurnAt: null,
  closedAt: null,
  threadId: null,
  restarts: 0,
  lastOutcome: null,
  opening: null,
  usage: noUsage,
  ...fields
})

export const opened = (fields: Partial<SessionRecord> = {}, snapshot: unknown = { value: "idle" }): LedgerWrite => ({
  _tag: "SessionInserted",
  record: session(fields),
  snapshot
})

export const turn = (fields: Partial<TurnRecord> = {}): TurnRecord => ({
  session: id,
  index: 1,
  kind: "prompt",
  status: "running",
  prompt: "Say 'hi';\nDROP TABLE turns --",
  content: [
    { type: "text", text: "Say" },
    { type: "image", mimeType: "image/png", path: "/srv/files/a.png" }
  ],
  settings: { model: "small", outputSchema: { type: "object" } },
  givenContext: "User: hello",
  submittedAt: 1_700_000_001_000,
  endedAt: null,
  stopReason: null,
  usage: noUsage,
  failure: null,
  interrupted: false,
  toolIterations: 0,
  threadId: null,
  agentTurnId: null,
  contextLost: false,
  contextAsOf: null,
  workdirLost: false,
  ...fields
})

export const step = (fields: Partial<StepRecord> = {}): StepRecord => ({
  session: id,
  seq: 1,
  at: 1_700_000_001_000,
  event: { type: "turn.submitted", turn: 1 },
  from: "idle.asleep",
  to: "turning.starting",
  commands: ["takeSlot", "startProcess"],
  ...fields
})

export const event = (seq: number, fields: Partial<StoredEvent> = {}): StoredEvent => ({
  session: id,
  seq,
  turn: 1,
  at: 1_700_000_002_000 + seq,
  message: updateMessage(id, { sessionUpdate: "agent_message_chunk", content: { type: "text", text: `„${seq}“ 👋` } }),
  ...fields
})

export const eventAppended = (seq: number, fields: Partial<StoredEvent> = {}): LedgerWrite => ({
  _tag: "EventAppended",
  event: event(seq, fields)
})

export const lease = (fields: Partial<LeaseRecord> = {}): LeaseRecord => ({
  id: LeaseId.make("lea_1"),
  session: id,
  generation: 1,
  bootId: "boot",
  supervisor: { pid: 4_711, startTime: "123456", pidNamespace: "pid:[4026531836]" },
  node: "first",
  openedAt: 1_700_000_001_500,
  pid: null,
  startTime: null,
  ...fields
})

export const usage = (tokens: number) => ({
  inputTokens: tokens,
  cachedInputTokens: tokens + 1,
  outputTokens: tokens + 2,
  reasoningTokens: tokens + 3,
  totalTokens: tokens * 2 + 2
})
