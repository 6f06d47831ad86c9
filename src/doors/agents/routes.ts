/** `/v1/agents` and what is below it, as `client.beta.agents` of OpenAI's SDK calls them with another `base_url`. */
import { Effect, Layer } from "effect"
import { decoded } from "../decoded.ts"
import { badBody, errorResponse, isRefusal, problemResponse } from "../responses/errors.ts"
import { answerWith, route } from "../route.ts"
import type { Arrival } from "../route.ts"
import { agentsApiIsOff, worded } from "./errors.ts"
import type { Operation, Told } from "./operation.ts"
import { allOperations } from "./operations.ts"
import { endingsOf } from "./stream.ts"

const answering = ({ answer, path }: Operation, isOn: boolean) =>
  Effect.succeed((arrival: Arrival) =>
    Effect.suspend(() => {
      const told: Told = { session: "", event: "" }
      const handle = async (request: Request) => {
        const { pathname, searchParams: query } = new URL(request.url)
        const { headers } = request
        try {
          if (!isOn) throw agentsApiIsOff
          return await answer({
            backend: arrival.backend,
            params: paramsIn(path, pathname),
            query,
            body: () => bodyOf(request),
            key: headers.get("idempotency-key") ?? undefined,
            lastEventId: headers.get("last-event-id"),
            told
          })
        } catch (error) {
          if (isRefusal(error)) return errorResponse(worded(error))
          throw error
        }
      }
      return answerWith(arrival, handle, { endings: endingsOf(told) })
    })
  )

const paramsIn = (path: string, pathname: string): Readonly<Record<string, string>> => {
  const given = pathname.split("/")
  return Object.fromEntries(
    path.split("/").flatMap((part, nth) => (part.startsWith(":") ? [[part.slice(1), decoded(given[nth] ?? "")]] : []))
  )
}

const bodyOf = async (request: Request): Promise<unknown> => {
  const text = await request.text()
  if (text === "") return undefined
  try {
    return JSON.parse(text)
  } catch {
    throw badBody("must be JSON.")
  }
}

/** Where it is off, each of its addresses says so. */
export const layer = (isOn: boolean) => {
  const [first, ...others] = allOperations.map((operation) =>
    route(operation.method, operation.path, answering(operation, isOn), problemResponse)
  )
  return Layer.mergeAll(first!, ...others)
}
