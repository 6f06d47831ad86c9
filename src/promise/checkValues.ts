/** Checks the values of what creates and changes sessions by the contract of HTTP, so that both take the same. */
import { Result, Schema } from "effect"
import { schemaProblem } from "../domain/schemaProblem.ts"
import { Effort, FileIds, Mode, Model } from "../http/contract/bodies.ts"
import * as Requests from "../http/contract/sessionRequests.ts"
import { TroupeError } from "../backend/TroupeError.ts"

/** Throws a `TroupeError` that names each option whose value is not taken. Keys without a value ask for nothing. */
const checkedBy = (schema: Schema.Constraint) => {
  const decode = Schema.decodeUnknownResult(Schema.toType(schema) as Schema.Codec<unknown>, { errors: "all" })
  return (options: object): void => {
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
    const decoded = decode(given)
    if (Result.isSuccess(decoded)) return
    const message = schemaProblem(decoded.failure.issue, { whole: "The options", member: "option" })
    throw new TroupeError({ code: "invalid_request", status: 400, message })
  }
}

export const checkCreation = checkedBy(Requests.CreateSession)
export const checkFork = checkedBy(Requests.ForkSession)
export const checkChange = checkedBy(Requests.ChangeSession)

/** Without the prompt, whose blocks have checks of their own, and the timeout, which HTTP has in seconds. */
export const checkTurn = checkedBy(
  Schema.Struct({
    files: Schema.optionalKey(FileIds),
    model: Schema.optionalKey(Model),
    mode: Schema.optionalKey(Mode),
    effort: Schema.optionalKey(Effort),
    outputSchema: Schema.optionalKey(Schema.Record(Schema.String, Schema.Json)),
    queue: Schema.optionalKey(Schema.Boolean),
    idempotencyKey: Schema.optionalKey(Schema.String)
  })
)

export const checkPrompt = (prompt: unknown): void => {
  if (typeof prompt === "string" || Array.isArray(prompt)) return
  const message = "prompt must be text, or a list of content blocks."
  throw new TroupeError({ code: "invalid_request", status: 400, message })
}
