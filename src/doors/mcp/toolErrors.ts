/** A refusal as the error of a tool: its code, what is wrong, and what to call instead. */
import type { CallToolResult } from "@modelcontextprotocol/server"
import { TroupeError } from "../../backend/TroupeError.ts"
import { cut } from "../../domain/cut.ts"
import { withoutRoutes } from "../withoutRoutes.ts"

const longestError = 4_000

/** The refusals of the services name routes of the HTTP API: a host has tools. */
const toolsInstead: Readonly<Record<string, string>> = {
  session_not_found: "No session of yours has that id. sessions_list has the ones there are.",
  unknown_agent: "No agent has that name. agents_list has the ones there are.",
  turn_in_progress:
    "A turn of this session runs. agent_wait waits for it, agent_cancel stops it, agent_send with queue: true waits in line, and with steer: true adds words to it.",
  no_turn: "Nothing runs that words could be added to: agent_send without steer submits a turn.",
  session_closed: "The session is closed. agent_start opens another; messages still reads this one.",
  turn_not_found: "The session has no turn of that number. agent_status says how many it has.",
  approval_not_found: "The session has no such approval. agent_status has those that are open.",
  approval_settled: "It was answered before, has expired, or its turn is over. agent_wait says how it goes on."
}

export const toolError = (error: unknown): CallToolResult => ({
  isError: true,
  content: [{ type: "text", text: cut(textOf(error), longestError) }]
})

const textOf = (error: unknown): string => {
  if (!(error instanceof TroupeError)) return `unavailable: ${error instanceof Error ? error.message : String(error)}`
  const instead = toolsInstead[error.code]
  return `${error.code}: ${instead ?? withoutRoutes(error.message)}`
}
