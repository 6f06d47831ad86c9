/**
 * The reasons for which a request of a caller is refused.
 *
 * `code` is the stable `error` of the HTTP body, `status` its status; `detail` says what to do. HTTP and the library read
 * these three fields and nothing else.
 */
import { Schema } from "effect"
import { causesOf } from "./causes.ts"
import { SessionId } from "./Ids.ts"
import type {
  AgentFixed,
  AppExists,
  AppNotFound,
  ApprovalNotFound,
  ApprovalSettled,
  FileNotFound,
  FileTooLarge,
  IdempotencyConflict,
  IdempotencyUnknown,
  NotAllowed,
  ThreadTaken,
  TurnNotFound
} from "./resourceRefusals.ts"

export * from "./resourceRefusals.ts"

/** The limit that a request would have exceeded, and how much it allows. */
export interface ExceededLimit {
  readonly name: string
  readonly quota: number
}

/** For another app's session, too, with the same body, so that a caller can't tell it from one that never existed. */
export class SessionNotFound extends Schema.TaggedError<SessionNotFound>()("SessionNotFound", { id: Schema.String }) {
  readonly code = "session_not_found"
  readonly status = 404
  override get message() {
    return this.detail
  }
  get detail() {
    return "No session of this app has that id. GET /sessions lists the ones there are."
  }
}

export class SessionClosed extends Schema.TaggedError<SessionClosed>()("SessionClosed", { id: SessionId }) {
  readonly code = "session_closed"
  readonly status = 410
  override get message() {
    return this.detail
  }
  get detail() {
    return "The session is closed and takes no more turns. Create a new one."
  }
}

export class TurnInProgress extends Schema.TaggedError<TurnInProgress>()("TurnInProgress", {
  id: SessionId,
  turn: Schema.Int
}) {
  readonly code = "turn_in_progress"
  readonly status = 409
  override get message() {
    return this.detail
  }
  get detail() {
    return `Turn ${this.turn} is running. Wait for it, interrupt it, or send "queue": true to wait in line.`
  }
}

/** No turn runs that could be steered. */
export class NoTurn extends Schema.TaggedError<NoTurn>()("NoTurn", { id: SessionId }) {
  readonly code = "no_turn"
  readonly status = 409
  override get message() {
    return this.detail
  }
  get detail() {
    return "No turn of this session is with its agent, so there is nothing to steer. Send it as a turn of its own."
  }
}

export class QueueFull extends Schema.TaggedError<QueueFull>()("QueueFull", { id: SessionId, waiting: Schema.Int }) {
  readonly code = "queue_full"
  readonly status = 503
  readonly retryAfterSeconds = 5
  get exceeded(): ExceededLimit {
    return { name: "turns_in_line", quota: this.waiting }
  }
  override get message() {
    return this.detail
  }
  get detail() {
    return `${this.waiting} turns already wait in this session. Let some of them end first.`
  }
}

/**
 * The session is parked, because its agent keeps dying, or the agent's account is used up (`quota`). At `until`
 * (milliseconds since 1970) it tries again by itself.
 */
export class SessionParked extends Schema.TaggedError<SessionParked>()("SessionParked", {
  id: SessionId,
  reason: Schema.String,
  until: Schema.Number,
  retryAfterSeconds: Schema.Int,
  quota: Schema.optionalKey(Schema.Boolean)
}) {
  readonly code = "session_parked"
  readonly status = 503
  override get message() {
    return this.detail
  }
  get detail() {
    const why = this.quota === true ? "account is used up" : "agent keeps dying"
    const when = `It may be tried again in ${this.retryAfterSeconds} s, or at once after POST /admin/sessions/${this.id}/unpark.`
    const wait = `A turn with "queue": true waits for that, where its own timeout is no shorter.`
    // A reason can be the last line of an agent's stderr, without a full stop.
    const reason = /[.!?]$/.test(this.reason) ? this.reason : `${this.reason}.`
    return `The session's ${why}: ${reason} ${when}${this.quota === true ? ` ${wait}` : ""}`
  }
}

export class PoolFull extends Schema.TaggedError<PoolFull>()("PoolFull", {
  what: Schema.Literals(["sessions", "sessions_per_app", "processes"]),
  limit: Schema.Int,
  retryAfterSeconds: Schema.Int
}) {
  readonly code = "pool_full"
  readonly status = 503
  get exceeded(): ExceededLimit {
    return { name: this.what, quota: this.limit }
  }
  override get message() {
    return this.detail
  }
  get detail() {
    switch (this.what) {
      case "sessions":
        return `${this.limit} sessions are open, which is the limit (TROUPE_MAX_SESSIONS). Close some, or raise it.`
      case "sessions_per_app":
        return `This app has ${this.limit} open sessions, which is its limit (TROUPE_MAX_SESSIONS_PER_APP). Close some.`
      case "processes":
        return `All ${this.limit} agent processes (TROUPE_MAX_PROCESSES) are at work and none came free in time. Try again.`
    }
  }
}

export class UnknownAgent extends Schema.TaggedError<UnknownAgent>()("UnknownAgent", { name: Schema.String }) {
  readonly code = "unknown_agent"
  readonly status = 404
  override get message() {
    return this.detail
  }
  get detail() {
    return `No agent is called ${JSON.stringify(this.name)}. GET /agents lists the ones there are; troupe.config.json adds more.`
  }
}

/** `field` is the name on the wire of the field that is wrong; `problem` completes a sentence such as "cwd …". */
export class InvalidRequest extends Schema.TaggedError<InvalidRequest>()("InvalidRequest", {
  field: Schema.String,
  problem: Schema.String
}) {
  readonly code = "invalid_request"
  readonly status = 400
  override get message() {
    return this.detail
  }
  get detail() {
    return `${this.field} ${this.problem}`
  }
}

export class NotSupported extends Schema.TaggedError<NotSupported>()("NotSupported", { problem: Schema.String }) {
  readonly code = "not_supported"
  readonly status = 422
  override get message() {
    return this.detail
  }
  get detail() {
    return this.problem
  }
}

/** The server is shutting down, or its node was drained, and takes no new work. */
export class Draining extends Schema.TaggedError<Draining>()("Draining", {}) {
  readonly code = "draining"
  readonly status = 503
  readonly retryAfterSeconds = 10
  override get message() {
    return this.detail
  }
  get detail() {
    return "Troupe is draining and starts nothing new: it shuts down, or its node was drained. Try again when it is back, or on another node."
  }
}

/**
 * A failure of Troupe itself: of the ledger, or a defect. Its cause is logged with the request's id, and never sent.
 *
 * `session_damaged` is for an operator to mend. `ledger_away` and `draining` are no faults, and pass: the ledger can't be written now, which the runtime has logged once
 * for all requests, or Troupe stopped while the request waited for a turn that goes on after its next start.
 */
export class Unavailable extends Schema.TaggedError<Unavailable>()("Unavailable", {
  operation: Schema.String,
  cause: Schema.Defect()
}) {
  readonly retryAfterSeconds = 5
  get code() {
    return passingOf(this.cause) ?? "unavailable"
  }
  get status() {
    return passingOf(this.cause) === null ? 500 : 503
  }
  override get message() {
    return this.detail
  }
  get detail() {
    switch (this.code) {
      case "ledger_away":
        return `Troupe could not ${this.operation}: its ledger can't be written now. What was accepted before is kept. Try again in ${this.retryAfterSeconds} s.`
      case "draining":
        return `Troupe could not ${this.operation}: it is draining, to shut down or by an operator's wish. What was accepted goes on when it is back, or on another node; ask again then.`
      case "file_away":
        return `Troupe could not ${this.operation}: the node that a file of it was uploaded to does not answer. Nothing was taken of the request. Send it again when that node is back, or upload the file again.`
      case "session_moved":
        return `Troupe could not ${this.operation}: another node has the session now. Ask again; any node leads to it.`
      case "session_newer":
        return `Troupe could not ${this.operation}: a later version of Troupe has had this session, and none that runs can go on with it. Its turns and messages can be read. Start the later version again; what is stored is intact.`
      case "session_damaged":
        return `Troupe could not ${this.operation}: what is stored of this session's state is damaged. Its turns and messages can be read. Open another session, or have the operator put back a copy of the data dir.`
      case "unavailable":
        return `Troupe could not ${this.operation}. The server's log has the cause under this request's id.`
    }
  }
}

/** Says that a session's stored snapshot can't be read (`DamagedSnapshot` in `machines/session/restore.ts`). */
export const isDamaged = (error: unknown): boolean =>
  typeof error === "object" && error !== null && "damaged" in error && error.damaged === true

/** Why a request could not be answered, where it did nothing wrong and the server meets no defect. */
export const Passing = Schema.Literals([
  "ledger_away",
  "draining",
  "file_away",
  "session_damaged",
  "session_moved",
  "session_newer"
])
export type Passing = typeof Passing.Type
const isPassing = Schema.is(Passing)

/**
 * What a failure, or one of its causes, says of itself: `away` of a `LedgerError`, `damaged` of a snapshot, `Draining`, or
 * `passing` of what failed on another machine.
 */
export const passingOf = (failure: unknown): Passing | null => {
  for (const error of causesOf(failure)) {
    if (typeof error === "object" && error !== null && "passing" in error && isPassing(error.passing)) {
      return error.passing
    }
    if (typeof error === "object" && error !== null && "away" in error && error.away === true) return "ledger_away"
    if (isDamaged(error)) return "session_damaged"
    if (error instanceof Draining) return "draining"
  }
  return null
}

export type Refusal =
  | SessionNotFound
  | SessionClosed
  | TurnInProgress
  | NoTurn
  | QueueFull
  | SessionParked
  | PoolFull
  | UnknownAgent
  | InvalidRequest
  | NotSupported
  | NotAllowed
  | ThreadTaken
  | AgentFixed
  | TurnNotFound
  | ApprovalNotFound
  | ApprovalSettled
  | FileNotFound
  | FileTooLarge
  | AppNotFound
  | AppExists
  | IdempotencyConflict
  | IdempotencyUnknown
  | Draining
  | Unavailable
