/** Refusals of this door: before its run they are problems as the HTTP API has them, within it `RUN_ERROR` with the same code. */
import { TroupeError } from "../../backend/TroupeError.ts"
import { withoutRoutes } from "../withoutRoutes.ts"
import type { ProblemDetails } from "../../http/contract/Problem.ts"

export const invalid = (field: string, problem: string) =>
  new TroupeError({ code: "invalid_request", status: 400, message: `${field} ${problem}` })

/** What Troupe has no counterpart for: nothing that is asked for is ignored. */
export const unsupported = (field: string, problem: string) =>
  new TroupeError({ code: "not_supported", status: 422, message: `${field} ${problem}` })

/** The services name their own fields and routes; the client has others. */
const words: Readonly<Record<string, (message: string) => string>> = {
  unknown_agent: (message) =>
    `${withoutRoutes(message)} The path's last part is the agent: /ag-ui/{agent}. GET /agents lists them.`,
  turn_in_progress: () =>
    "Another run of this thread goes on. Wait for its end, post it again under its own runId to follow it, or stop it with DELETE /ag-ui?threadId=…",
  idempotency_conflict: () => "A run of this thread with the same runId brought another message. Choose a new runId."
}

export const wordsOf = ({ code, message }: TroupeError): string => words[code]?.(message) ?? message

/** A code of the services is one that problems have. */
export const detailsOf = (error: TroupeError) =>
  ({ code: error.code, status: error.status, detail: wordsOf(error) }) as ProblemDetails
