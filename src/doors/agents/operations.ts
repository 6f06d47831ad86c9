/**
 * Every operation of the SDK's resources of agents: it does not compile where the SDK has one more. `test/doors/agents` calls them
 * all, and compares their addresses with those that the SDK asks.
 */
import * as Events from "./events.ts"
import { at, helper, without } from "./operation.ts"
import type { Operation } from "./operation.ts"
import type { OperationsOf } from "./sdk.ts"
import * as Sessions from "./sessions.ts"
import * as Turns from "./turns.ts"

const configured = without(
  "Agents have no counterpart that an app creates: the operator configures them (agents in troupe.config.json). agents.list has the ones there are; what a session wants beyond goes to sessions.create, as agent.instructions, model, reasoning and tools."
)
const noAutomations = without(
  "Automations have no counterpart: nothing is started by a clock. Call sessions.create from your own scheduler."
)
const noEnvironments = without(
  "Environments have no counterpart: agents work in a directory of the server. sessions.create takes environment none, for a fresh one, or self_hosted, with its workspace_directory."
)
const noVaults = without(
  "Vaults have no counterpart: an MCP server gets its credentials in its transport, from sessions.create or from the operator's configuration."
)
const noArtifacts = without(
  "Artifacts have no counterpart: what an agent writes stays in the directory that its session works in (environment.workspace_directory)."
)
const noSubagents = without(
  "Subagents have no counterpart: an agent's sub-agents are its own. What they do shows in the session's items, where the agent tells of it."
)
const noTraces = without(
  "Traces have no counterpart here: the operator has them sent to a collector (OTEL_EXPORTER_OTLP_ENDPOINT)."
)

const session = "/v1/agents/sessions/:session_id" as const
const subagents = `${session}/subagents` as const
const environments = "/v1/agents/environments" as const
const automations = "/v1/agents/automations" as const

export const operations: OperationsOf<Operation | typeof helper> = {
  create: configured("POST", "/v1/agents"),
  retrieve: at("GET", "/v1/agents/:name", Sessions.agent),
  update: configured("POST", "/v1/agents/:name"),
  list: at("GET", "/v1/agents", Sessions.agents),
  delete: configured("DELETE", "/v1/agents/:name"),
  sessions: {
    create: at("POST", "/v1/agents/sessions", Sessions.create),
    retrieve: at("GET", session, Sessions.retrieve),
    update: at("POST", session, Sessions.update),
    list: at("GET", "/v1/agents/sessions", Sessions.list),
    delete: at("DELETE", session, Sessions.remove),
    stream: helper,
    events: {
      create: at("POST", `${session}/events`, Events.create),
      stream: at("GET", `${session}/events`, Events.stream)
    },
    items: { list: at("GET", `${session}/items`, Turns.items) },
    turns: {
      retrieve: at("GET", `${session}/turns/:turn_id`, Turns.retrieve),
      list: at("GET", `${session}/turns`, Turns.list),
      items: { list: at("GET", `${session}/turns/:turn_id/items`, Turns.itemsOfTurn) }
    },
    artifacts: {
      retrieve: noArtifacts("GET", `${session}/artifacts/:artifact_id`),
      list: noArtifacts("GET", `${session}/artifacts`),
      delete: noArtifacts("DELETE", `${session}/artifacts/:artifact_id`),
      content: noArtifacts("GET", `${session}/artifacts/:artifact_id/content`),
      forResult: helper
    },
    traces: { list: noTraces("GET", `${session}/traces`) },
    subagents: {
      retrieve: noSubagents("GET", `${subagents}/:subagent_id`),
      list: noSubagents("GET", subagents),
      items: { list: noSubagents("GET", `${subagents}/:subagent_id/items`) },
      turns: {
        retrieve: noSubagents("GET", `${subagents}/:subagent_id/turns/:turn_id`),
        list: noSubagents("GET", `${subagents}/:subagent_id/turns`),
        items: { list: noSubagents("GET", `${subagents}/:subagent_id/turns/:turn_id/items`) }
      }
    }
  },
  environments: {
    create: noEnvironments("POST", environments),
    retrieve: noEnvironments("GET", `${environments}/:environment_id`),
    list: noEnvironments("GET", environments),
    files: {
      create: noEnvironments("POST", `${environments}/:environment_id/files`),
      list: noEnvironments("GET", `${environments}/:environment_id/files`),
      prepare: helper,
      upload: helper
    },
    templates: {
      create: noEnvironments("POST", `${environments}/templates`),
      retrieve: noEnvironments("GET", `${environments}/templates/:template_id`),
      update: noEnvironments("POST", `${environments}/templates/:template_id`),
      list: noEnvironments("GET", `${environments}/templates`),
      delete: noEnvironments("DELETE", `${environments}/templates/:template_id`)
    }
  },
  automations: {
    create: noAutomations("POST", automations),
    retrieve: noAutomations("GET", `${automations}/:automation_id`),
    update: noAutomations("POST", `${automations}/:automation_id`),
    list: noAutomations("GET", automations),
    delete: noAutomations("DELETE", `${automations}/:automation_id`),
    pause: noAutomations("POST", `${automations}/:automation_id/pause`),
    resume: noAutomations("POST", `${automations}/:automation_id/resume`),
    invocations: {
      create: noAutomations("POST", `${automations}/:automation_id/invocations`),
      retrieve: noAutomations("GET", `${automations}/:automation_id/invocations/:invocation_id`),
      list: noAutomations("GET", `${automations}/:automation_id/invocations`)
    }
  },
  vaults: {
    create: noVaults("POST", "/v1/vaults"),
    retrieve: noVaults("GET", "/v1/vaults/:vault_id"),
    update: noVaults("POST", "/v1/vaults/:vault_id"),
    list: noVaults("GET", "/v1/vaults"),
    delete: noVaults("DELETE", "/v1/vaults/:vault_id"),
    credentials: {
      create: noVaults("POST", "/v1/vaults/:vault_id/credentials"),
      retrieve: noVaults("GET", "/v1/vaults/:vault_id/credentials/:credential_id"),
      update: noVaults("POST", "/v1/vaults/:vault_id/credentials/:credential_id"),
      list: noVaults("GET", "/v1/vaults/:vault_id/credentials"),
      delete: noVaults("DELETE", "/v1/vaults/:vault_id/credentials/:credential_id")
    }
  }
}

interface Tree {
  readonly [name: string]: Operation | typeof helper | Tree
}

const listed = (tree: Tree): ReadonlyArray<Operation> =>
  Object.values(tree).flatMap((node) => {
    if (typeof node === "string") return []
    return isOperation(node) ? [node] : listed(node)
  })

const isOperation = (node: Operation | Tree): node is Operation => typeof node["method"] === "string"

/** All that have an address. */
export const allOperations = listed(operations as unknown as Tree)
