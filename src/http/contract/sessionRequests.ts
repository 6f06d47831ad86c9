/** The bodies that create, change and fork a session. */
import { Schema } from "effect"
import { McpServerOrName } from "../../domain/McpServer.ts"
import { Meta, Questions } from "../../domain/Session.ts"
import { Permissions } from "./approvals.ts"
import { Effort, Mode, Model } from "./bodies.ts"
import { wire } from "./wire.ts"

export const CreateSession = wire(
  "CreateSession",
  {
    agent: Schema.optionalKey(
      Schema.NonEmptyString.annotate({
        description: "A name from `GET /agents`; else the default.",
        examples: ["codex"]
      })
    ),
    cwd: Schema.optionalKey(
      Schema.NonEmptyString.annotate({
        description: "An existing directory; else a fresh one that goes with the session."
      })
    ),
    model: Schema.optionalKey(Model),
    mode: Schema.optionalKey(Mode),
    effort: Schema.optionalKey(Effort),
    systemPrompt: Schema.optionalKey(Schema.String),
    permissions: Schema.optionalKey(
      Permissions.annotate({ description: "What the agent may do unasked; `deny` by default." })
    ),
    mcpServers: Schema.optionalKey(
      Schema.Array(McpServerOrName).annotate({
        description:
          "MCP servers for this session: names of the operator's (`mcpServers` of the configuration), or servers of your own. One that does not start is an event, `_troupe/mcp_failed`, and the session goes on."
      })
    ),
    additionalDirectories: Schema.optionalKey(
      Schema.Array(Schema.NonEmptyString).annotate({
        description: "Existing absolute directories that the agent may use like `cwd`."
      })
    ),
    env: Schema.optionalKey(
      Schema.Record(Schema.String, Schema.String).annotate({
        description: "Variables for the agent, of the names that the operator allows. Never shown again."
      })
    ),
    questions: Schema.optionalKey(
      Questions.annotate({
        description:
          "Whether questions of the agent go to a person (`ask`, an approval with `fields`) or are declined at once; by default `ask` where permissions go to a person, too."
      })
    ),
    threadId: Schema.optionalKey(
      Schema.NonEmptyString.annotate({
        description:
          "A conversation that the agent has already, by the agent's own id: the session goes on with it. 409 `thread_taken` where another session has it."
      })
    ),
    meta: Schema.optionalKey(Meta.annotate({ description: "Kept with the session and returned as it came." }))
  },
  // One that works on every machine as it is.
  { example: { agent: "demo", permissions: "ask", meta: { ticket: "T-1" } } }
)

export const ChangeSession = wire(
  "ChangeSession",
  {
    agent: Schema.optionalKey(
      Schema.NonEmptyString.annotate({
        description:
          "Another one from `GET /agents`, until the first turn; else 409 `agent_fixed`. With it, model, mode and effort are that agent's own where they are not given."
      })
    ),
    permissions: Schema.optionalKey(Permissions),
    model: Schema.optionalKey(
      Schema.NullOr(Schema.NonEmptyString).annotate({ description: "null: the agent's own default." })
    ),
    mode: Schema.optionalKey(Schema.NullOr(Mode)),
    effort: Schema.optionalKey(Schema.NullOr(Effort))
  },
  { example: { permissions: "ask" } }
)

export const ForkSession = wire(
  "ForkSession",
  {
    turnIndex: Schema.optionalKey(
      Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)).annotate({
        description: "The last turn that the new session's agent knows; else all of them."
      })
    ),
    permissions: Schema.optionalKey(Permissions),
    model: Schema.optionalKey(Model),
    mode: Schema.optionalKey(Mode),
    effort: Schema.optionalKey(Effort),
    meta: Schema.optionalKey(Meta)
  },
  { example: { turn_index: 2 } }
)
