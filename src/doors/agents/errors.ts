/** Refusals of the Agents API, in OpenAI's shape, in words that lead to operations of the SDK. */
import { TroupeError } from "../../backend/TroupeError.ts"
import { withoutRoutes } from "../withoutRoutes.ts"
import { Refused } from "../responses/errors.ts"

export const noSuchSession = (id: string) =>
  new Refused(
    404,
    "session_not_found",
    `No session of this app has the id ${JSON.stringify(id)}: there was none, or it was deleted. sessions.list has the ones there are.`,
    "session_id"
  )

export const noSuchTurn = (id: string) =>
  new Refused(
    404,
    "turn_not_found",
    `The session has no turn with the id ${JSON.stringify(id)}. turns.list has the ones there are.`,
    "turn_id"
  )

export const noSuchAgent = (name: string) =>
  new Refused(
    404,
    "agent_not_found",
    `No agent that is available is called ${JSON.stringify(name)}. agents.list has the ones there are; an id may also be agent/model.`,
    "agent_id"
  )

/** The words by which the SDK's own helper knows that a call may be registered later, and asks again. */
export const noSuchCall = (id: string) =>
  new Refused(400, "invalid_request_error", `Unknown pending tool call: ${id}`, "call_id")

export const agentsApiIsOff = new Refused(
  404,
  "agents_api_off",
  "The Agents API is off. Its operator turns it on with TROUPE_AGENTS_API=true, or with agentsApi: true in troupe.config.json or in the library's options."
)

/** `known`: a refusal of the services that has a sentence of this API's own. */
export const whereRefused = async <A>(
  work: Promise<A>,
  known: Readonly<Record<string, (error: TroupeError) => Refused>>
): Promise<A> => {
  try {
    return await work
  } catch (error) {
    if (!(error instanceof TroupeError) || !Object.hasOwn(known, error.code)) throw error
    throw known[error.code]!(error)
  }
}

/** A refusal of the services, without the routes of the HTTP API that it names: clients of the SDK have none of them. */
export const worded = (error: Refused | TroupeError): Refused | TroupeError =>
  error instanceof Refused ? error : new Refused(error.status, error.code, withoutRoutes(error.message))
