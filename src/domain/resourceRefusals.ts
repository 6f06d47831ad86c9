/**
 * Refusals of requests for something other than a session: a stored turn, an approval, a file, an app, an idempotency key.
 *
 * `Refusal.ts` says what the fields mean, and has the union of all refusals.
 */
import { Schema } from "effect"

export class TurnNotFound extends Schema.TaggedError<TurnNotFound>()("TurnNotFound", { index: Schema.Int }) {
  readonly code = "turn_not_found"
  readonly status = 404
  override get message() {
    return this.detail
  }
  get detail() {
    return `The session has no turn ${this.index}. GET /sessions/{id}/turns lists the ones it has.`
  }
}

export class ApprovalNotFound extends Schema.TaggedError<ApprovalNotFound>()("ApprovalNotFound", {
  id: Schema.String
}) {
  readonly code = "approval_not_found"
  readonly status = 404
  override get message() {
    return this.detail
  }
  get detail() {
    return "The session has no approval with that id. GET /sessions/{id}/approvals lists those that wait."
  }
}

export class ApprovalSettled extends Schema.TaggedError<ApprovalSettled>()("ApprovalSettled", {
  id: Schema.String,
  how: Schema.String
}) {
  readonly code = "approval_settled"
  readonly status = 409
  override get message() {
    return this.detail
  }
  get detail() {
    return `The approval is ${this.how} already, and what was decided stands. GET /sessions/{id}/approvals lists those that wait.`
  }
}

export class FileNotFound extends Schema.TaggedError<FileNotFound>()("FileNotFound", { id: Schema.String }) {
  readonly code = "file_not_found"
  readonly status = 404
  override get message() {
    return this.detail
  }
  get detail() {
    return "No file of this app has that id. Upload it with POST /files."
  }
}

export class FileTooLarge extends Schema.TaggedError<FileTooLarge>()("FileTooLarge", { limitBytes: Schema.Int }) {
  readonly code = "file_too_large"
  readonly status = 413
  override get message() {
    return this.detail
  }
  get detail() {
    return `A file may have ${this.limitBytes} bytes (TROUPE_MAX_FILE).`
  }
}

export class AppNotFound extends Schema.TaggedError<AppNotFound>()("AppNotFound", { name: Schema.String }) {
  readonly code = "app_not_found"
  readonly status = 404
  override get message() {
    return this.detail
  }
  get detail() {
    return `No app is called ${JSON.stringify(this.name)}.`
  }
}

export class AppExists extends Schema.TaggedError<AppExists>()("AppExists", { name: Schema.String }) {
  readonly code = "app_exists"
  readonly status = 409
  override get message() {
    return this.detail
  }
  get detail() {
    return `An app called ${JSON.stringify(this.name)} exists. Rotate its token, or revoke it first.`
  }
}

/** The operator does not let this app ask for that (`appBounds.ts`). */
export class NotAllowed extends Schema.TaggedError<NotAllowed>()("NotAllowed", { problem: Schema.String }) {
  readonly code = "not_allowed"
  readonly status = 403
  override get message() {
    return this.detail
  }
  get detail() {
    return `${this.problem} Its operator can change that with \`troupe app limit\`.`
  }
}

export class ThreadTaken extends Schema.TaggedError<ThreadTaken>()("ThreadTaken", { threadId: Schema.String }) {
  readonly code = "thread_taken"
  readonly status = 409
  override get message() {
    return this.detail
  }
  get detail() {
    return `The conversation ${JSON.stringify(this.threadId)} belongs to another session. Close that one, or fork it.`
  }
}

/** The session's agent has had a turn, or is to go on with a conversation of its own. */
export class AgentFixed extends Schema.TaggedError<AgentFixed>()("AgentFixed", { agent: Schema.String }) {
  readonly code = "agent_fixed"
  readonly status = 409
  override get message() {
    return this.detail
  }
  get detail() {
    return `The session's agent is ${JSON.stringify(this.agent)}, and stays it: another one can be chosen until the first turn, where no conversation is taken up. Create a session with the other agent.`
  }
}

export class IdempotencyConflict extends Schema.TaggedError<IdempotencyConflict>()("IdempotencyConflict", {
  key: Schema.String
}) {
  readonly code = "idempotency_conflict"
  readonly status = 422
  override get message() {
    return this.detail
  }
  get detail() {
    return "This Idempotency-Key was used with another body or call. Use a new key for a new request."
  }
}

/** Only for receipts of Troupe 0.1.0, which did not store what a request brought about. */
export class IdempotencyUnknown extends Schema.TaggedError<IdempotencyUnknown>()("IdempotencyUnknown", {
  key: Schema.String
}) {
  readonly code = "idempotency_unknown"
  readonly status = 409
  override get message() {
    return this.detail
  }
  get detail() {
    return "An earlier version of Troupe was cut off while it handled the first request with this Idempotency-Key, and did not keep whether it took effect. Look at what the app's sessions have, then ask again with a new key."
  }
}
