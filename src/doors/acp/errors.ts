/** Troupe's refusals as errors of the protocol: its codes, and the sentence that says what to do. */
import { TroupeError } from "../../backend/TroupeError.ts"
import { withoutRoutes } from "../withoutRoutes.ts"
import type { Sdk } from "./sdk.ts"

/** As JSON-RPC and the protocol have them. */
const rpcCode = { authRequired: -32000, notFound: -32002, invalidParams: -32602, internal: -32603 } as const

const codeOf = ({ code, status }: TroupeError): number => {
  if (code === "unauthorized") return rpcCode.authRequired
  if (code === "session_not_found" || code === "session_closed") return rpcCode.notFound
  // Nothing that a later try could find changed.
  if (code === "agent_fixed") return rpcCode.invalidParams
  return status >= 400 && status < 500 && status !== 408 && status !== 409 && status !== 429
    ? rpcCode.invalidParams
    : rpcCode.internal
}

/** Where the client goes on, in the words of its protocol. */
const instead: Readonly<Record<string, string>> = {
  session_not_found: "session/list has the ones there are.",
  session_closed: "session/new starts another one.",
  unknown_agent: "troupe doctor lists the ones there are.",
  thread_taken: "session/load opens the session that has it."
}

const wordsOf = ({ code, message }: TroupeError): string =>
  [withoutRoutes(message), instead[code]].filter((sentence) => sentence !== undefined && sentence !== "").join(" ")

/** `data.code` is the refusal's own, as HTTP has it in `error`. */
export const asRequestError = ({ RequestError }: Sdk, error: unknown, sessionId?: string): Error => {
  if (error instanceof RequestError) return error
  const named = sessionId === undefined ? {} : { sessionId }
  if (error instanceof TroupeError) {
    const { code, status } = error
    return new RequestError(codeOf(error), wordsOf(error), { code, status, ...named })
  }
  return new RequestError(rpcCode.internal, error instanceof Error ? error.message : String(error), named)
}

/** A turn that failed: the agent's failure, in its class and its words. */
export const turnFailed = (
  { RequestError }: Sdk,
  sessionId: string,
  turn: number,
  failure: { readonly class: string | null; readonly message: string }
): Error =>
  new RequestError(failure.class === "auth" ? rpcCode.authRequired : rpcCode.internal, failure.message, {
    class: failure.class,
    sessionId,
    turnIndex: turn
  })

export const invalid = ({ RequestError }: Sdk, message: string): Error =>
  new RequestError(rpcCode.invalidParams, message)
