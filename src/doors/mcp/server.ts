/** The MCP server of one caller: its tools and resources over the caller's `Backend`. */
import type { CallToolResult, McpServer, ServerContext } from "@modelcontextprotocol/server"
import type { Schema } from "effect"
import manifest from "../../../package.json" with { type: "json" }
import type { Backend } from "../../backend/Backend.ts"
import { progressOf } from "./progress.ts"
import { registerResources } from "./resources.ts"
import * as Schemas from "./schemas.ts"
import type { Sdk } from "./sdk.ts"
import { standard } from "./standard.ts"
import { toolError } from "./toolErrors.ts"
import * as Tools from "./tools.ts"

export type { Defaults } from "./tools.ts"

const instructions = `Troupe runs coding agents (codex, Claude Code and others) in sessions that are stored: they outlive this conversation, and the agents' processes. agent_start opens a session and submits its first turn; agent_send submits the next. Both answer at once unless wait_s says otherwise; agent_wait answers when the turn has ended, when the agent needs an answer, or after its wait_s, and then says what to call next: a turn that takes long is waited for by several calls. session_id and turn are all that has to be remembered. An agent's requests for permission and its questions come as approvals, for agent_answer; ask the person you work for before you say yes to what they did not ask for. A host that repeats calls gives each an idempotency_key.`

export const makeServer = (sdk: Sdk, backend: Backend, defaults: Tools.Defaults = {}): McpServer => {
  const server = new sdk.McpServer({ name: "troupe", title: "Troupe", version: manifest.version }, { instructions })

  const tool = <In extends Schema.ConstraintDecoder<unknown>, Out extends Schema.ConstraintDecoder<unknown>>(
    name: string,
    { input, output, ...about }: About<In, Out>,
    run: (args: In["Type"], call: Tools.Call) => Promise<Out["Type"]>
  ): void => {
    const answer = async (args: In["Type"], context: ServerContext): Promise<CallToolResult> => {
      const progress = progressOf(context)
      try {
        const report = await run(args, { signal: context.mcpReq.signal, onActivity: progress.tell })
        return {
          content: [{ type: "text", text: JSON.stringify(report) }],
          structuredContent: report as Record<string, unknown>
        }
      } catch (error) {
        return toolError(error)
      } finally {
        progress.end()
      }
    }
    server.registerTool(name, { ...about, inputSchema: standard(input), outputSchema: standard(output) }, answer)
  }

  tool("agent_start", start, (args, call) => Tools.agentStart(backend, defaults, args, call))
  tool("agent_send", send, (args, call) => Tools.agentSend(backend, args, call))
  tool("agent_wait", wait, (args, call) => Tools.agentWait(backend, args, call))
  tool("agent_status", status, (args) => Tools.agentStatus(backend, args))
  tool("agent_cancel", cancel, (args) => Tools.agentCancel(backend, args))
  tool("agent_answer", answer, (args) => Tools.agentAnswer(backend, args))
  tool("sessions_list", sessions, (args) => Tools.sessionsList(backend, args))
  tool("messages", messages, (args) => Tools.messages(backend, args))
  tool("agents_list", agents, () => Tools.agentsList(backend))
  registerResources(sdk, server, backend)
  return server
}

interface About<In, Out> {
  readonly title: string
  readonly description: string
  readonly input: In
  readonly output: Out
  readonly annotations: {
    readonly readOnlyHint: boolean
    readonly destructiveHint?: boolean
    readonly idempotentHint?: boolean
    readonly openWorldHint?: boolean
  }
}

const reads = { readOnlyHint: true, openWorldHint: false } as const
/** An agent may change files and use the network, as far as its permissions go. */
const works = { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true } as const

const start = {
  title: "Start an agent",
  description:
    "Opens a session with a coding agent, and submits its first turn where there is a prompt. Answers with session_id and turn at once, or after wait_s at the latest; agent_wait has the rest.",
  input: Schemas.AgentStart,
  output: Schemas.TurnReport,
  annotations: works
} as const

const send = {
  title: "Send a prompt to an agent",
  description:
    "Submits the next turn of a session, in which the agent knows all that was said before, or with steer adds words to the one that runs.",
  input: Schemas.AgentSend,
  output: Schemas.TurnReport,
  annotations: works
} as const

const wait = {
  title: "Wait for an agent",
  description:
    "Waits until a turn has ended, needs an answer, or wait_s is over; without turn it is the session's last. The turn goes on whether or not it is waited for: call it again with what next says.",
  input: Schemas.AgentWait,
  output: Schemas.TurnReport,
  annotations: reads
} as const

const status = {
  title: "Look at a session",
  description: "The session's state, what its agent waits for, and what it has used. Does not wait.",
  input: Schemas.AgentStatus,
  output: Schemas.StatusReport,
  annotations: reads
} as const

const cancel = {
  title: "Stop an agent",
  description: "Interrupts the turn that runs, or one that waits in line; with close it also closes the session.",
  input: Schemas.AgentCancel,
  output: Schemas.CancelReport,
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false }
} as const

const answer = {
  title: "Answer an agent",
  description:
    "Answers a request for permission, or a question with its fields. Within what the operator of Troupe allows.",
  input: Schemas.AgentAnswer,
  output: Schemas.AnswerReport,
  annotations: works
} as const

const sessions = {
  title: "List sessions",
  description: "Your sessions, newest first, also those of earlier conversations.",
  input: Schemas.SessionsList,
  output: Schemas.SessionsReport,
  annotations: reads
} as const

const messages = {
  title: "Read a conversation",
  description:
    "What was said in a session, turn by turn, oldest first. Long texts are cut; the session's resource has them.",
  input: Schemas.Messages,
  output: Schemas.MessagesReport,
  annotations: reads
} as const

const agents = {
  title: "List agents",
  description: "The agents that a session can have, and whether each is installed.",
  input: Schemas.AgentsList,
  output: Schemas.AgentsReport,
  annotations: reads
} as const
