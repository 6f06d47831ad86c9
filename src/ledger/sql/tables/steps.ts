/**
 * A session's steps (its machine's decisions), the outbox of commands to perform, and its armed timers.
 *
 * The outbox is the table `owed`, and its column `attempted` says that a command is claimed: both were named before the
 * outbox was, and a stored name stays.
 */
import { Effect, Option } from "effect"
import type { SessionId } from "../../../domain/Ids.ts"
import type { Database, Write } from "../Database.ts"
import type { TransitionCount } from "../../LedgerQuery.ts"
import type { ArmedTimer, OutboxCommand, StepRecord } from "../../LedgerWrite.ts"
import { flag, insertInto, json, readableJson } from "./columns.ts"

const insertStep = insertInto("steps", ["session", "seq", "at", "event", "from_state", "to_state", "commands", "wire"])
const insertOutbox = insertInto("owed", ["session", "step", "nth", "type", "params", "once", "attempted"])
const armTimer = `${insertInto("timers", ["session", "timer", "due_at", "event"])}
  ON CONFLICT (session, timer) DO UPDATE SET due_at = excluded.due_at, event = excluded.event`

export const appended = (step: StepRecord, wire: string | null): Write => ({
  text: insertStep,
  params: [step.session, step.seq, step.at, json(step.event), step.from, step.to, json(step.commands), wire]
})

export const queued = (command: OutboxCommand): Write => ({
  text: insertOutbox,
  params: [
    command.session,
    command.step,
    command.nth,
    command.type,
    json(command.params),
    flag(command.once),
    flag(command.claimed)
  ]
})

/** The claimer may perform the command. A second claim fails, whichever process makes it. */
export const claimed = (session: SessionId, step: number, nth: number): Write => ({
  text: "UPDATE owed SET attempted = 1 WHERE session = ? AND step = ? AND nth = ? AND attempted = 0 RETURNING 1",
  params: [session, step, nth],
  failIfNoRow: "the command was claimed before, or is not in the outbox"
})

/** Repeatable: it does not fail where the command is done already. */
export const done = (session: SessionId, step: number, nth: number): Write => ({
  text: "DELETE FROM owed WHERE session = ? AND step = ? AND nth = ?",
  params: [session, step, nth]
})

/** Arming an armed timer changes its due time and event. */
export const armed = (timer: ArmedTimer): Write => ({
  text: armTimer,
  params: [timer.session, timer.timer, timer.dueAt, json(timer.event)]
})

export const disarmed = (session: SessionId, timer: string): Write => ({
  text: "DELETE FROM timers WHERE session = ? AND timer = ?",
  params: [session, timer]
})

interface StepRow {
  readonly session: SessionId
  readonly seq: number
  readonly at: number
  readonly event: string
  readonly from_state: string
  readonly to_state: string
  readonly commands: string
  readonly has_wire: number
}

const stepOf = (row: StepRow): StepRecord => ({
  session: row.session,
  seq: row.seq,
  at: row.at,
  event: readableJson<StepRecord["event"]>(row.event, (note) => ({ type: "unreadable", note })),
  from: row.from_state,
  to: row.to_state,
  commands: readableJson<ReadonlyArray<string>>(row.commands, () => []),
  ...(row.has_wire === 1 ? { hasWire: true as const } : {})
})

interface OutboxRow {
  readonly session: SessionId
  readonly step: number
  readonly nth: number
  readonly type: string
  readonly params: string
  readonly once: number
  readonly attempted: number
}

const outboxCommandOf = (row: OutboxRow): OutboxCommand => ({
  session: row.session,
  step: row.step,
  nth: row.nth,
  type: row.type,
  params: JSON.parse(row.params) as unknown,
  once: row.once === 1,
  claimed: row.attempted === 1
})

interface TimerRow {
  readonly session: SessionId
  readonly timer: string
  readonly due_at: number
  readonly event: string
}

const timerOf = (row: TimerRow): ArmedTimer => ({
  session: row.session,
  timer: row.timer,
  dueAt: row.due_at,
  event: JSON.parse(row.event) as ArmedTimer["event"]
})

const select = `SELECT session, seq, at, event, from_state, to_state, commands, CASE WHEN wire IS NULL THEN 0 ELSE 1 END AS has_wire
  FROM steps WHERE session = ?`

/** How many of the latest steps are searched for those that concern a process. */
const stepsSearched = 5_000

const aboutProcesses = `${select} AND seq > (SELECT max(seq) FROM steps WHERE session = ?) - ${stepsSearched}
  AND (commands LIKE '%"startProcess"%' OR event LIKE '{"type":"process.%'
    OR (to_state LIKE 'retiring.%' AND from_state NOT LIKE 'retiring.%'))
  ORDER BY seq DESC LIMIT ?`

const transitionCountOf = (row: TransitionCount): TransitionCount => ({
  from: row.from,
  event: row.event,
  to: row.to,
  n: row.n
})

export const reads = (db: Database) => ({
  outbox: (session: SessionId) =>
    db.all(
      "read the outbox",
      "SELECT session, step, nth, type, params, once, attempted FROM owed WHERE session = ? ORDER BY step, nth",
      [session],
      outboxCommandOf
    ),
  timers: (session: SessionId) =>
    db.all(
      "read the armed timers",
      "SELECT session, timer, due_at, event FROM timers WHERE session = ? ORDER BY due_at, timer",
      [session],
      timerOf
    ),
  lastStep: (session: SessionId) =>
    db
      .all(
        "read the last step",
        "SELECT max(seq) AS seq FROM steps WHERE session = ?",
        [session],
        (row: { readonly seq: number | null }) => row.seq
      )
      .pipe(Effect.map(([seq]) => seq ?? 0)),
  steps: (session: SessionId, after: number, limit: number) =>
    db.all("read the steps", `${select} AND seq > ? ORDER BY seq LIMIT ?`, [session, after, limit], stepOf),
  processSteps: (session: SessionId, limit: number) =>
    db
      .all("read the steps of a session's processes", aboutProcesses, [session, session, limit], stepOf)
      .pipe(Effect.map((steps) => steps.toReversed())),
  wireLine: (session: SessionId, seq: number) =>
    db
      .all(
        "read the line behind a step",
        "SELECT wire FROM steps WHERE session = ? AND seq = ? AND wire IS NOT NULL",
        [session, seq],
        (row: { readonly wire: string }) => row.wire
      )
      .pipe(Effect.map(([line]) => Option.fromNullishOr(line))),
  transitionCounts: (session: SessionId, limit: number) =>
    db.all(
      "count the steps",
      `SELECT "from", event, "to", count(*) AS n FROM (
          SELECT from_state AS "from", ${db.dialect.jsonText("event", "type")} AS event, to_state AS "to" FROM steps
            WHERE session = ? ORDER BY seq DESC LIMIT ?) AS taken
        GROUP BY "from", event, "to" ORDER BY "from", event, "to"`,
      [session, limit],
      transitionCountOf
    )
})
