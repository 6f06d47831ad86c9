/** What a promise of the library is rejected with: the refusals of the HTTP API, by the same codes and statuses. */
import { Cause } from "effect"

export class TroupeError extends Error {
  override readonly name = "TroupeError"
  /** Stable, such as `session_closed`. Branch on this. */
  readonly code: string
  /** What HTTP would answer with. */
  readonly status: number

  constructor(options: { readonly code: string; readonly status: number; readonly message: string; cause?: unknown }) {
    super(options.message, { cause: options.cause })
    this.code = options.code
    this.status = options.status
  }
}

/**
 * The message is a refusal's `detail`, which says what to do; of a failure to open, it is the failure's own message. A
 * refusal has its code as `code`, a problem of a server as `error`.
 */
export const troupeError = (cause: Cause.Cause<unknown>): TroupeError => {
  const error = Cause.squash(cause)
  if (error instanceof TroupeError) return error
  const {
    detail,
    error: problem,
    code = problem,
    message,
    status
  } = (typeof error === "object" && error !== null ? error : {}) as {
    readonly [key in "code" | "detail" | "error" | "message" | "status"]?: unknown
  }
  return typeof code === "string" && typeof status === "number"
    ? new TroupeError({ code, status, message: String(detail ?? message), cause: error })
    : new TroupeError({ code: "unavailable", status: 500, message: String(message ?? error), cause: error })
}
