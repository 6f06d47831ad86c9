/** `/ag-ui` and `/ag-ui/{agent}`: where a client of the Agent User Interaction Protocol posts its runs. */
import { Effect, Layer } from "effect"
import type { Backend } from "../../backend/Backend.ts"
import { TroupeError } from "../../backend/TroupeError.ts"
import type { ProblemDetails } from "../../http/contract/Problem.ts"
import { decoded } from "../decoded.ts"
import { answerWith, route } from "../route.ts"
import type { Arrival } from "../route.ts"
import { detailsOf, invalid } from "./errors.ts"
import { idIn, readInput } from "./input.ts"
import { run, stop } from "./run.ts"
import { endings } from "./stream.ts"

type Handle = (request: Request, backend: Backend) => Promise<Response>

/** A refusal becomes a problem, as the HTTP API has it. */
const answering = (handle: Handle) =>
  Effect.succeed((arrival: Arrival) =>
    Effect.suspend(() => {
      let refused: ProblemDetails | null = null
      const answered = answerWith(
        arrival,
        async (request) => {
          try {
            return await handle(request, arrival.backend)
          } catch (error) {
            if (!(error instanceof TroupeError)) throw error
            refused = detailsOf(error)
            return new Response(null)
          }
        },
        { endings }
      )
      return Effect.flatMap(answered, (response) =>
        refused === null ? Effect.succeed(response) : Effect.fail(refused)
      )
    })
  )

const post: Handle = async (request, backend) => run(backend, agentIn(request), readInput(await bodyOf(request)))

const remove: Handle = (request, backend) =>
  stop(backend, idIn(Object.fromEntries(new URL(request.url).searchParams), "threadId"))

const bodyOf = async (request: Request): Promise<unknown> => {
  try {
    return await request.json()
  } catch {
    throw invalid("The body", "must be JSON.")
  }
}

const agentIn = ({ url }: Request): string | null => {
  const [, , agent = ""] = new URL(url).pathname.split("/")
  return agent === "" ? null : decoded(agent)
}

export const layer = Layer.mergeAll(
  route("POST", "/ag-ui", answering(post)),
  route("POST", "/ag-ui/:name", answering(post)),
  route("DELETE", "/ag-ui", answering(remove)),
  route("DELETE", "/ag-ui/:name", answering(remove))
)
