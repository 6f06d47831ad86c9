/** The agents as models, which a response names. */
import type { Backend } from "../../backend/Backend.ts"
import { Refused } from "./errors.ts"

export const models = async (backend: Backend): Promise<Response> => {
  const agents = await backend.agents()
  return Response.json({
    object: "list",
    data: agents.filter(({ available }) => available).map(({ name }) => modelOf(name))
  })
}

export const model = async (backend: Backend, id: string): Promise<Response> => {
  const [agent] = id.split("/", 1)
  const agents = await backend.agents()
  if (!agents.some(({ available, name }) => available && name === agent)) {
    const message = `No agent that is available is called ${JSON.stringify(agent)}. GET /v1/models lists the ones there are.`
    throw new Refused(404, "model_not_found", message, "model")
  }
  return Response.json(modelOf(id))
}

/** An agent has no time of its creation. */
const modelOf = (id: string) => ({ id, object: "model", created: 0, owned_by: "troupe" })
