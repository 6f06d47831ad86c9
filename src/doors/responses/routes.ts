/** `/v1/responses` and `/v1/models`, as OpenAI's SDKs call them with another `base_url`. */
import { Effect } from "effect"
import { Layer } from "effect"
import type { Backend } from "../../backend/Backend.ts"
import { decoded } from "../decoded.ts"
import { answerWith, route } from "../route.ts"
import type { Arrival } from "../route.ts"
import { badBody, errorResponse, invalid, isRefusal, problemResponse } from "./errors.ts"
import * as Models from "./models.ts"
import * as Operations from "./operations.ts"
import { readRequest } from "./request.ts"

type Handle = (request: Request, backend: Backend, id: string) => Promise<Response>

const answering = (handle: Handle) =>
  Effect.succeed((arrival: Arrival) =>
    answerWith(arrival, async (request) => {
      try {
        return await handle(request, arrival.backend, idIn(request))
      } catch (error) {
        if (isRefusal(error)) return errorResponse(error)
        throw error
      }
    })
  )

/** The third part of the path: `/v1/responses/resp_…/cancel`. */
const idIn = ({ url }: Request): string => {
  const [, , , id = ""] = new URL(url).pathname.split("/")
  return decoded(id)
}

const create: Handle = async (request, backend) =>
  Operations.create(backend, readRequest(await bodyOf(request)), request.headers.get("idempotency-key") ?? undefined)

const bodyOf = async (request: Request): Promise<unknown> => {
  try {
    return await request.json()
  } catch {
    throw badBody("must be JSON.")
  }
}

const retrieve: Handle = (request, backend, id) => {
  const query = new URL(request.url).searchParams
  const after = query.get("starting_after")
  if (after !== null && !/^\d{1,15}$/.test(after))
    throw invalid("starting_after", "must be the sequence_number of an event.")
  const isStream = query.get("stream") === "true"
  if (after !== null && !isStream) throw invalid("starting_after", "is for stream=true.")
  return Operations.retrieve(backend, id, isStream ? Number(after ?? -1) : null)
}

const at = (method: "GET" | "POST" | "DELETE", path: `/${string}`, handle: Handle) =>
  route(method, path, answering(handle), problemResponse)

const cancel: Handle = (_request, backend, id) => Operations.cancel(backend, id)
const remove: Handle = (_request, backend, id) => Operations.remove(backend, id)
const inputItems: Handle = (_request, backend, id) => Operations.inputItems(backend, id)
const models: Handle = (_request, backend) => Models.models(backend)
const model: Handle = (_request, backend, id) => Models.model(backend, id)

export const layer = Layer.mergeAll(
  at("POST", "/v1/responses", create),
  at("GET", "/v1/responses/:response_id", retrieve),
  at("POST", "/v1/responses/:response_id/cancel", cancel),
  at("DELETE", "/v1/responses/:response_id", remove),
  at("GET", "/v1/responses/:response_id/input_items", inputItems),
  at("GET", "/v1/models", models),
  at("GET", "/v1/models/:name", model)
)
