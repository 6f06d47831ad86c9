/** The contract of the two probes, which take no token. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { BusyProblem, ForbiddenProblem } from "./Problem.ts"
import { Instant, Ok, wire } from "./wire.ts"

const Alive = wire("Alive", { ok: Ok })

const Ready = wire("Ready", {
  ok: Ok,
  circuits: Schema.Array(wire("OpenCircuit", { agent: Schema.String, until: Instant })).annotate({
    description: "Agents that are not started until then, because their starts kept failing. The others are."
  })
})

export class HealthGroup extends HttpApiGroup.make("health")
  .add(
    HttpApiEndpoint.get("alive", "/healthz", { success: Alive, error: [ForbiddenProblem] }).annotate(
      OpenApi.Summary,
      "The process answers"
    ),
    HttpApiEndpoint.get("ready", "/readyz", { success: Ready, error: [BusyProblem, ForbiddenProblem] }).annotate(
      OpenApi.Summary,
      "The ledger is writable, the default agent is installed, and no shutdown has begun; else `reasons` say what is missing"
    )
  )
  .annotate(OpenApi.Description, "Probes, without a token.") {}
