/**
 * The contract of `/inspect/api`, between the server and its two clients, the dashboard's page and `troupe top`: the JSON of
 * its requests and responses. What they have of one session is in `sessionContract.ts`,
 * what they have of all together in `fleetContract.ts`.
 *
 * Types only, so that a browser can import them. Keys are `snake_case` as on all of Troupe's wire, times are Unix
 * seconds with milliseconds as decimals, sizes are bytes. Every body has `ok: true`; a failure is a problem
 * (`application/problem+json`), as everywhere.
 *
 * | request | answer |
 * |---|---|
 * | `POST login` `Login` | `Me`, and the cookie. 401 `unauthorized` |
 * | `POST logout` | `{ok}`, and the cookie is gone |
 * | `GET me` | `Me` |
 * | `POST link` | `Link`: logs the admin in once. For the admin only: 403 `forbidden` |
 * | `POST ticket` | `Ticket`: the address of `/inspect/stately`, for tools that take no header |
 * | `GET sessions?q&state&substate&outcome&meta&agent&app&node&sort&order&limit&cursor` | `SessionRows`, the last active first; `meta` is `key=value`, `order` `asc` or `desc` |
 * | `GET rows?ids` | `Rows`: some sessions as they are now, up to 200 ids with commas between them |
 * | `GET steps` | SSE of `SlimStep` (`event: step`), see there |
 * | `GET live?on=steps~{id}&on={session id}~{id}` | up to 64 of the two other streams at once: `event: on` (`data: 1`) says of which the next messages are, by its place in the address, `event: gone` with a problem that a session can't be followed |
 * | `GET attention` | `Attentions`: what needs a person |
 * | `GET fleet?window=hour\|day` | `Fleet`: what became of turns, and who has the process slots |
 * | `GET fleet/sessions?from&to&failed=0\|1` | `FleetSessions`: those behind a bar |
 * | `GET approvals` | `Approvals`: all pending ones, of all sessions that the caller sees |
 * | `GET coverage?agent` | `Coverage` |
 * | `GET nodes` | `Nodes`, for the admin only |
 * | `GET sessions/{id}` | `Detail` |
 * | `GET sessions/{id}/steps?after&limit` | `Steps` |
 * | `GET sessions/{id}/steps/{seq}/wire` | `Wire`; 404 `no_wire` where no line of the agent caused the step |
 * | `GET sessions/{id}/events?after&limit` | `Events` |
 * | `GET sessions/{id}/turns?after&limit` | `Turns` |
 * | `GET sessions/{id}/stream?after=e{event}.s{step}` | SSE of the one session, see `StreamId` |
 * | `GET sessions/{id}/search?q&after=e{event}.s{step}` | `Hits` |
 * | `GET sessions/{id}/processes` | `Processes` |
 * | `GET sessions/{id}/why` | `Diagnosis` |
 * | `GET sessions/{id}/export?format=json\|html&texts=0\|1` | a file |
 * | `GET sessions/{id}/export?format=svg\|dot\|mermaid` | the chart of its machine as a file, with its state marked |
 * | `GET agents` | `Agents`: what a session can be started with, and how the agents are |
 * | `POST agents/{name}/check` | `Checked`: starts the agent once, calls no model; for the admin only |
 * | `GET agents/{name}/threads?app&cwd&cursor` | `Threads`: the conversations that the agent has |
 * | `POST sessions` `NewSession` | `Opened` |
 * | `POST sessions/{id}/turn` `NewTurn` | `Done`, when the turn is accepted; it waits behind one that runs |
 * | `POST sessions/{id}/resend` `Resend` | `Done`: the prompt and settings of a turn that did not work, as a new turn, once |
 * | `POST sessions/{id}/steer` `Steer` | `Done`, when the agent has the words |
 * | `POST sessions/{id}/compact` | `Done`, when the turn is accepted |
 * | `POST sessions/{id}/fork` `NewFork` | `Opened` |
 * | `POST sessions/{id}/interrupt` \| `close` \| `unpark` | `Done` |
 * | `POST sessions/{id}/approvals/{approval_id}` `Answer` | `Done` |
 *
 * Access: `Authorization: Bearer` (an app's token or the admin's), or the cookie that `login` sets; with the cookie a
 * `POST` must carry `x-troupe-inspect: 1`, which no foreign page can send. An app sees its own sessions only.
 */
import type { ApprovalDecision, ApprovalStatus } from "../domain/Approval.ts"
import type { Answers, QuestionField, StoredAnswers } from "../domain/Question.ts"
import type { SessionState } from "../domain/Session.ts"

export type State = SessionState

/** A token, or the code of a one-time login link. */
export type Login = { readonly token: string } | { readonly code: string }

export interface Me {
  readonly ok: true
  readonly admin: boolean
  /** `null` for the admin. */
  readonly app: string | null
  readonly version: string
  /** The node that answers, where several work together; `null`: this Troupe is alone. */
  readonly node: string | null
  /** The server's clock, to compute ages with. */
  readonly now: number
  /** Another value after each start of the server. */
  readonly boot: string
  /** The bounds of this server's session machine: the page makes the same machine with them (`sessionMachineWith`). */
  readonly bounds: {
    readonly pool_wait_millis: number
    readonly hibernate_after_millis: number
    readonly restart_intensity: number
    readonly restart_period_millis: number
  }
}

/** Logs the admin in once, until then. */
export interface Link {
  readonly ok: true
  readonly url: string
  readonly expires_at: number
}

/** Valid for one connection within a minute, for reading only; `&session=<id>` limits it to one session. */
export interface Ticket {
  readonly ok: true
  readonly url: string
  readonly expires_at: number
}

export type Party = "app" | "agent" | "person" | "operator" | "troupe" | "kernel" | "nobody"

/** What a session waits for, in a few words and for a program. */
export interface Wait {
  /** Such as `a turn`, `the end of turn 3`, `an answer to: rm -rf build`. */
  readonly what: string
  /** Who can bring it about. */
  readonly who: Party
  /** When it entered this state. */
  readonly since: number
  /** The timer that is due first, where one is armed: the delay's name (`hibernateAfter`), when, and into which state. */
  readonly next: { readonly timer: string; readonly at: number; readonly to: string | null } | null
  /** The tool of the running turn that has run longest, since when, and how many more run; `null`: none, or not known. */
  readonly tool: { readonly title: string; readonly since: number; readonly more: number } | null
}

/** How a turn ended that is the last one that has. The message may be cut. */
export interface Outcome {
  readonly turn: number
  readonly status: "completed" | "interrupted" | "failed" | "timed_out"
  readonly at: number
  readonly failure: { readonly class: string; readonly message: string } | null
}

/** An agent whose starts kept failing is not started before then. */
export interface Circuit {
  readonly until: number
  readonly reason: string
}

/** A session as a row of the table. */
export interface SessionRow {
  readonly session_id: string
  /** What it is called by: its title, else how its first prompt begins, else its id. */
  readonly name: string
  readonly app: string
  readonly agent: string
  readonly state: State
  /** Such as `turning.asking`. */
  readonly substate: string
  readonly created_at: number
  readonly last_activity_at: number
  /** The same, or when the running turn's agent said something last, as far as that is known. */
  readonly heard_at: number
  readonly closed_at: number | null
  readonly turns: number
  readonly restarts: number
  /** Of its turns. The detail's `usage` includes its reviews. */
  readonly total_tokens: number
  /** The node that has it; `null`: none has, or this Troupe is alone. */
  readonly node: string | null
  /** `null` where it is closed. */
  readonly wait: Wait | null
  /** `null`: no turn has ended yet. */
  readonly last_outcome: Outcome | null
  /** Why it is parked; `null`: it is not. */
  readonly reason: string | null
  /** Of its turns so far; `null`: its agent reports none, or the row came with a step, which does not know it: ask `GET rows`. */
  readonly cost: { readonly amount: number; readonly currency: string } | null
  /** Of its metadata the first twelve words, numbers and flags, as text; names to 40 and values to 80 characters. */
  readonly meta: Readonly<Record<string, string>>
  /** Of its agent; `null`: it may be started. */
  readonly circuit: Circuit | null
}

/** What a list is sorted by: last heard, creation, time in its state, end of the last turn, cost, number of turns. */
export type Sort = "activity" | "created" | "state" | "outcome" | "cost" | "turns"

export interface SessionRows {
  readonly ok: true
  /** How many match. */
  readonly count: number
  /** Only the last active 10,000 open sessions and as many closed ones were looked at, and there are more. */
  readonly is_bounded: boolean
  /** Of all sessions that the caller sees, whatever the query. */
  readonly counts: Readonly<Record<State, number>>
  /** Of the open ones, such as `{"idle.asleep": 12}`; those without any may be absent. */
  readonly substates: Readonly<Record<string, number>>
  /** Names to filter by: agents of the newest 5,000 sessions, and apps where the caller is the admin. */
  readonly agents: ReadonlyArray<string>
  readonly apps: ReadonlyArray<string>
  /** Empty where this Troupe is alone. */
  readonly nodes: ReadonlyArray<string>
  readonly sessions: ReadonlyArray<SessionRow>
  readonly next_cursor: string | null
}

/** Those of them that the caller sees, in their order. */
export interface Rows {
  readonly ok: true
  readonly sessions: ReadonlyArray<SessionRow>
}

/**
 * One step of any session that the caller sees, as `GET steps` sends it. The SSE `id` is `<boot>:<n>`. A reader that
 * reconnects with `Last-Event-ID` gets what it missed, then `event: live` (`{"n": …}`); one that was away too long, or
 * since before a restart, gets `event: reset` first and should fetch its rows again. `event: removed` has `{session_id}` of
 * a session that was deleted. A session's first change has `seq` 0 and the event `created`; `waits` is no step: another
 * timer fires next, and `seq` and `at` are of the last one.
 *
 * The row is as of that step. Fetch rows after `live`: later changes are sent. The server keeps the last 4,096 changes; a
 * client that cannot send the header uses `?after=<boot>:<n>`. A caller whose access ends gets `event: error` with the
 * problem within half a minute.
 */
export interface SlimStep {
  readonly n: number
  readonly seq: number
  readonly at: number
  readonly event: string
  readonly from: string
  readonly to: string
  readonly row: SessionRow
}

export interface Approval {
  readonly approval_id: string
  readonly session_id: string
  /** What its session is called by; absent where its session is shown. */
  readonly name?: string
  readonly app: string
  readonly agent: string
  readonly turn: number
  /** ACP's tool kind: `read`, `edit`, `execute`, …; `question` where it has `fields`. */
  readonly kind: string
  readonly title: string
  readonly raw: unknown
  /** What a question wants to know; `null`: the agent asks for permission. */
  readonly fields: ReadonlyArray<QuestionField> | null
  /** By the fields' ids; `null` in it: a secret one. */
  readonly answers: StoredAnswers | null
  readonly created_at: number
  readonly deadline_at: number
  readonly status: ApprovalStatus
  readonly decision: ApprovalDecision | null
  readonly decided_by: string | null
  readonly settled_at: number | null
}

/** The body of an answer. `answers`: to a question, with `once`. */
export interface Answer {
  readonly decision: ApprovalDecision
  readonly answers?: Answers | undefined
}

export interface Approvals {
  readonly ok: true
  /** The oldest first, at most 500. */
  readonly approvals: ReadonlyArray<Approval>
}

/**
 * How often each step was taken, over the sessions that the caller sees: the last 1,000 steps of each of the last active
 * 1,000, and 100,000 in all.
 */
export interface Coverage {
  readonly ok: true
  readonly taken: ReadonlyArray<{
    readonly from: string
    readonly event: string
    readonly to: string
    readonly n: number
  }>
}

export interface Threads {
  readonly ok: true
  readonly threads: ReadonlyArray<{
    readonly id: string
    readonly cwd: string | null
    readonly title: string | null
    readonly updated_at: number | null
  }>
  readonly next_cursor: string | null
}

/** What is absent is the agent's or the server's own. */
export interface NewSession {
  /** Whose the session is: required from the admin, and not allowed from an app. */
  readonly app?: string | undefined
  readonly agent: string
  readonly cwd?: string | undefined
  readonly permissions: string
  readonly model?: string | undefined
  readonly mode?: string | undefined
  readonly effort?: string | undefined
  readonly thread_id?: string | undefined
}

export interface NewTurn {
  readonly prompt: string
}

/** Words for the turn that runs. */
export interface Steer {
  readonly text: string
}

export interface Resend {
  readonly turn_index: number
}

export interface NewFork {
  /** The last turn that the copy has; absent: all. */
  readonly turn_index?: number | undefined
}

export interface Opened {
  readonly ok: true
  readonly session_id: string
}

/** `note` says in words what was done, such as `Nothing was running.` */
export interface Done {
  readonly ok: true
  readonly note: string
}
