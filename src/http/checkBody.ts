/**
 * Refuses bodies that could not be stored and read back, before the contract's schemas see them: those recurse, and a body
 * of 12 kB may nest 6,000 levels deep. Runs after the caller is known, so that nobody else's body is read.
 */
import { isUtf8 } from "node:buffer"
import { Effect } from "effect"
import type { HttpServerRequest } from "effect/http"
import { unknownMember } from "../domain/schemaProblem.ts"
import { storableProblem } from "../domain/storable.ts"
import type { ProblemDetails } from "./contract/Problem.ts"
import { readBody } from "./readBody.ts"

/** A defect for the framework, which `problemOfCause` answers with its problem. */
export class UnusableBody extends Error {
  override readonly name = "UnusableBody"
  readonly details: ProblemDetails
  constructor(details: ProblemDetails) {
    super(details.detail)
    this.details = details
  }
}

const invalid = (detail: string) => new UnusableBody({ code: "invalid_request", status: 400, detail })

const encoded = new UnusableBody({
  code: "unsupported_media_type",
  status: 415,
  detail: "Send the body as it is, without content-encoding: compressed bodies are not taken."
})

const jsonType = /^application\/json\b/i

/** `isJson`: it is read as JSON whatever type it says. Dies with `UnusableBody`, or with the request's own error where the body can't be read. */
export const checkBody = Effect.fnUntraced(function* (
  request: HttpServerRequest.HttpServerRequest,
  { isJson, takesBody = true }: { readonly takesBody?: boolean; readonly isJson?: boolean } = {}
) {
  if (request.method === "GET" || request.method === "HEAD") return
  const { "content-encoding": encoding = "identity", "content-type": type = "application/json" } = request.headers
  if (encoding.toLowerCase() !== "identity") return yield* Effect.die(encoded)
  if (isJson !== true && !jsonType.test(type)) return
  if (!isUtf8(yield* Effect.orDie(readBody(request)))) return yield* Effect.die(invalid("The body must be UTF-8."))
  const body = parsed(yield* Effect.orDie(request.text))
  if (typeof body !== "object" || body === null) return
  const problem = storableProblem(body as Readonly<Record<string, unknown>>)
  if (problem !== null) return yield* Effect.die(invalid(`${problem.field} ${problem.problem}`))
  // No schema sees this body. Empty ones pass: some clients send `{}` with every request.
  const [key] = takesBody ? [] : Object.keys(body)
  if (key === undefined) return
  const { field, problem: unknown } = unknownMember(key, [], "field")
  return yield* Effect.die(invalid(`${field} ${unknown} This request takes no body.`))
})

/** Text that is no JSON is the contract's to refuse. */
const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
