/** What a client says where no server answers. */
import { HttpClientError } from "effect/http"

/** Why nothing answers, in the words of the innermost cause of `fetch failed`; `null`: the failure is another. */
export const unreachableReason = (error: unknown): string | null => {
  if (!HttpClientError.isHttpClientError(error) || error.reason._tag !== "TransportError") return null
  let cause: unknown = error.reason.cause
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause
  return cause instanceof Error && cause.message !== "" ? cause.message : "no connection"
}
