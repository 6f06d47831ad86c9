/** The contract of the agents that can be chosen, and of the tokens and turns used. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { Protocol } from "../../domain/Settings.ts"
import { Authorized } from "./Auth.ts"
import { UsageQuery, UsageReport } from "./bodies.ts"
import { badRequests, ownFaults } from "./Problem.ts"
import { Ok, wire } from "./wire.ts"

export const Agent = wire("Agent", {
  name: Schema.String,
  protocol: Protocol,
  available: Schema.Boolean,
  version: Schema.NullOr(Schema.String),
  capabilities: Schema.Struct({
    resume: Schema.Boolean,
    steer: Schema.Boolean,
    compact: Schema.Boolean,
    images: Schema.Boolean
  }),
  hint: Schema.NullOr(Schema.String).annotate({ description: "The one thing to do where it is not available." })
})

export class AgentsGroup extends HttpApiGroup.make("agents")
  .add(
    HttpApiEndpoint.get("list", "/agents", {
      success: wire("AgentList", { ok: Ok, agents: Schema.Array(Agent) })
    }).annotate(OpenApi.Summary, "The agents there are"),
    HttpApiEndpoint.get("usage", "/usage", {
      query: UsageQuery,
      success: UsageReport,
      error: [...badRequests, ...ownFaults]
    }).annotate(OpenApi.Summary, "Tokens and turns of the app, by day and agent")
  )
  .middleware(Authorized)
  .annotate(OpenApi.Description, "Agents and their use.") {}
