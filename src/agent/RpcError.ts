/** The failures of JSON-RPC requests. */
import { Schema } from "effect"
import { integerIn, objectIn } from "../domain/json.ts"
import { mapTexts } from "./redact.ts"

/** The other side's `error`, or ours to it. */
export class RpcError extends Schema.TaggedError<RpcError>()("RpcError", {
  code: Schema.Int,
  message: Schema.String,
  data: Schema.optionalKey(Schema.Unknown)
}) {}

/** No reply came: the deadline passed, or the peer is gone. */
export class RpcSilent extends Schema.TaggedError<RpcSilent>()("RpcSilent", {
  method: Schema.String,
  reason: Schema.Literals(["timeout", "closed"])
}) {}

export type RpcReply =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly error: RpcError | RpcSilent }

/** JSON-RPC 2.0, section 5.1. */
export const internalError = -32603
export const methodNotFound = -32601

/** A number beyond the safe integers, such as 1e308, is no code either: `RpcError` could not be made of it. */
export const codeIn = (code: unknown): number => integerIn(code) ?? internalError

/** Reads the `error` of a reply. `redact` removes the secrets of the process that wrote it, before anything is cut. */
export const errorIn = (error: unknown, redact: (text: string) => string): RpcError => {
  const clean = mapTexts(error, redact)
  const { code, data, message } = objectIn(clean)
  return new RpcError({
    code: codeIn(code),
    message: typeof message === "string" ? message : (JSON.stringify(clean) ?? "no message"),
    ...(data === undefined ? {} : { data })
  })
}

/** Writes a failure of ours as the `error` of a reply. Of a defect the other side learns only that there was one. */
export const errorBody = (error: RpcError | undefined) =>
  error === undefined
    ? { code: internalError, message: "Internal error" }
    : { code: error.code, message: error.message, ...(error.data === undefined ? {} : { data: error.data }) }
