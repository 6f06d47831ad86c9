/** The contract of the agents that can be chosen, and of the tokens and turns used. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { Protocol } from "../../domain/Settings.ts"
import { Authorized } from "./Auth.ts"
import { NextCursor, PageQuery, UsageQuery, UsageReport } from "./bodies.ts"
import { badRequests, ForbiddenProblem, NotFoundProblem, ownFaults, UnprocessableProblem } from "./Problem.ts"
import { Instant, Ok, wire } from "./wire.ts"

export const Agent = wire("Agent", {
  name: Schema.String,
  protocol: Protocol,
  available: Schema.Boolean,
  version: Schema.NullOr(Schema.String),
  capabilities: wire(
    "Capabilities",
    {
      resume: Schema.Boolean,
      steer: Schema.Boolean,
      compact: Schema.Boolean,
      images: Schema.Boolean,
      mcp: Schema.Array(Schema.Literals(["stdio", "http", "sse"])).annotate({
        description: "How it can reach the MCP servers that a session brings."
      }),
      model: Schema.Boolean,
      mode: Schema.Boolean,
      effort: Schema.Boolean,
      outputSchema: Schema.Boolean.annotate({
        description: "It holds itself to `output_schema`; any other agent is told it in words."
      }),
      questions: Schema.Boolean.annotate({ description: "It asks a person for more than permissions." }),
      fork: Schema.Boolean,
      threads: Schema.Boolean.annotate({
        description: "It lists its conversations, and a session can go on with one of them (`thread_id`)."
      }),
      additionalDirectories: Schema.Boolean
    },
    { description: "As the agent has announced it, or, before its first start, as such agents usually do." }
  ),
  hint: Schema.NullOr(Schema.String).annotate({ description: "The one thing to do where it is not available." }),
  circuit: Schema.NullOr(
    wire("Circuit", {
      until: Instant,
      reason: Schema.String.annotate({ description: "Of which its last start failed." })
    })
  ).annotate({
    description:
      "Its starts kept failing, so that this server does not start it before then: turns that need one fail at once. null: it may be started."
  })
})

export const ThreadList = wire("ThreadList", {
  ok: Ok,
  threads: Schema.Array(
    wire("Thread", {
      id: Schema.String.annotate({ description: "For `thread_id` of a new session." }),
      cwd: Schema.NullOr(Schema.String),
      title: Schema.NullOr(Schema.String),
      updatedAt: Schema.NullOr(Instant)
    })
  ),
  nextCursor: NextCursor
})

export class AgentsGroup extends HttpApiGroup.make("agents")
  .add(
    HttpApiEndpoint.get("list", "/agents", {
      success: wire("AgentList", { ok: Ok, agents: Schema.Array(Agent) })
    }).annotate(OpenApi.Summary, "The agents there are"),
    HttpApiEndpoint.get("threads", "/agents/:name/threads", {
      params: { name: Schema.String.annotate({ description: "An agent's name." }) },
      query: {
        ...PageQuery,
        cwd: Schema.optionalKey(
          Schema.NonEmptyString.annotate({ description: "Only those of this directory; else of all." })
        )
      },
      success: ThreadList,
      error: [...badRequests, ForbiddenProblem, NotFoundProblem, UnprocessableProblem, ...ownFaults]
    }).annotateMerge(
      OpenApi.annotations({
        summary: "The conversations that an agent has, newest first, ours or not",
        description:
          "Starts the agent for as long as it takes. Those of other apps' sessions are left out. 422 where the agent has no list (`capabilities.threads`)."
      })
    ),
    HttpApiEndpoint.get("usage", "/usage", {
      query: UsageQuery,
      success: UsageReport,
      error: [...badRequests, ...ownFaults]
    }).annotate(OpenApi.Summary, "Tokens and turns of the app, by day and agent")
  )
  .middleware(Authorized)
  .annotate(OpenApi.Description, "Agents and their use.") {}
