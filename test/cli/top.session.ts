/** A session as `troupe top` gets it: its row, its detail, and an event of its transcript. */
import type { SessionRow } from "../../src/inspect/contract.ts"
import type { Detail, TranscriptEvent } from "../../src/inspect/sessionContract.ts"

export const now = 1_700_000_000

export const rowOf = (id: string, substate: string, more: Partial<SessionRow> = {}): SessionRow => ({
  session_id: id,
  name: id,
  app: "web",
  agent: "demo",
  state: substate.split(".")[0] as SessionRow["state"],
  substate,
  created_at: now - 125,
  last_activity_at: now - 5,
  heard_at: now - 5,
  closed_at: null,
  turns: 3,
  restarts: 1,
  total_tokens: 12_345,
  node: null,
  wait: {
    what: "the end of turn 3",
    who: "agent",
    since: now - 30,
    next: { timer: "turnWithin", at: now + 67, to: "retiring" },
    tool: null
  },
  last_outcome: null,
  circuit: null,
  reason: null,
  cost: null,
  meta: {},
  ...more
})

export const detailOf = (row: SessionRow): Detail => ({
  ok: true,
  session: {
    ...row,
    cwd: "/work",
    model: null,
    mode: null,
    effort: null,
    permissions: "ask",
    permission: { word: "ask", meaning: "" },
    thread_id: null,
    meta: {},
    usage: {
      input_tokens: 0,
      cached_input_tokens: 0,
      output_tokens: 0,
      reasoning_tokens: 0,
      total_tokens: row.total_tokens
    },
    cost: null,
    can: { compact: false, steer: false }
  },
  snapshot: { value: row.substate, context: { reason: "" } },
  line: null,
  last_step: 9,
  last_event: 9,
  why: { sentence: "", wait: row.wait!, awaited: [], last_byte_at: now - 4, queued: 2 },
  timers: [{ timer: "turnWithin", event: "xstate.after.turnWithin.session.turning.running", due_at: now + 67 }],
  owed: [],
  budget: { intensity: 5, period_seconds: 60, deaths: [], left: 5, backoff: null, parked: null },
  process: { pid: 4711, state: "ready", unseen: null, up_since: now - 100 },
  refused: [],
  turns: [],
  approvals: [],
  processes: [],
  owners: []
})

export const chunkEvent = (seq: number, text: string): TranscriptEvent => ({
  seq,
  turn: 1,
  at: now - 10 + seq,
  message: {
    method: "session/update",
    params: { update: { sessionUpdate: "agent_message_chunk", content: { type: "text", text } } }
  }
})
