/** Refusals in OpenAI's shape: `{ error: { message, type, param, code } }` with the status of the refusal. */
import { TroupeError } from "../../backend/TroupeError.ts"
import { nearestName } from "../../domain/nearestName.ts"
import type { ProblemDetails } from "../../http/contract/Problem.ts"

/** `param`: the parameter that is wrong, where it is one. */
export class Refused extends Error {
  override readonly name = "Refused"
  readonly status: number
  readonly code: string
  readonly param: string | null
  constructor(status: number, code: string, message: string, param: string | null = null) {
    super(message)
    this.status = status
    this.code = code
    this.param = param
  }
}

export const invalid = (param: string, message: string) =>
  new Refused(400, "invalid_value", `${param} ${message}`, param)

export const badBody = (message: string) => new Refused(400, "invalid_value", `The body ${message}`)

/** What Troupe has no counterpart for: nothing that is asked for is ignored. */
export const unsupported = (param: string, message: string) =>
  new Refused(422, "unsupported_parameter", `${param} ${message}`, param)

/** `path`: where it stands; `what`: of what it is none. */
export const unknownParameter = (path: string, name: string, known: ReadonlyArray<string>, what = "") => {
  const near = nearestName(name, known)
  const guess = near === undefined ? "" : ` Is it ${near}?`
  return new Refused(400, "unknown_parameter", `${path} is no parameter${what}.${guess}`, path)
}

export const noSuchResponse = (id: string) =>
  new Refused(
    404,
    "response_not_found",
    `No response of this app has the id ${JSON.stringify(id)}: there was none, its session is closed, or it was made with store: false.`,
    "response_id"
  )

/** Codes of OpenAI's where it has one for the same; else Troupe's own. */
const codes: Readonly<Record<string, string>> = { unauthorized: "invalid_api_key", unknown_agent: "model_not_found" }

const typeOf = (status: number) =>
  status === 401
    ? "authentication_error"
    : status === 403
      ? "permission_error"
      : status === 429
        ? "rate_limit_error"
        : status >= 500
          ? "server_error"
          : "invalid_request_error"

const retryAfterSeconds = 5

const headersOf = (status: number): Record<string, string> =>
  status === 503 ? { "retry-after": String(retryAfterSeconds) } : status === 401 ? { "www-authenticate": "Bearer" } : {}

const response = (status: number, code: string, message: string, param: string | null) =>
  Response.json({ error: { message, type: typeOf(status), param, code } }, { status, headers: headersOf(status) })

export const errorBody = (error: Refused | TroupeError) => ({
  message: messageOf(error),
  code: codes[error.code] ?? error.code,
  param: error instanceof Refused ? error.param : null
})

export const errorResponse = (error: Refused | TroupeError): Response => {
  const { code, message, param } = errorBody(error)
  return response(error.status, code, message, param)
}

/** Of a request that did not come this far. */
export const problemResponse = ({ code, detail, status }: ProblemDetails): Response =>
  response(status, codes[code] ?? code, detail, null)

/** The refusals of the services name the routes of the HTTP API. */
const messageOf = ({ code, message }: Refused | TroupeError): string =>
  code === "unknown_agent"
    ? `${message.replace("GET /agents", "GET /v1/models")} model is one of them, or agent/model.`
    : message

export const isRefusal = (error: unknown): error is Refused | TroupeError =>
  error instanceof Refused || error instanceof TroupeError
