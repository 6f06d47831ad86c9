/** Sessions as resources: `troupe://sessions/{id}` is the whole conversation as text. */
import type { McpServer } from "@modelcontextprotocol/server"
import type { Backend, SessionBackend } from "../../backend/Backend.ts"
import { cutStart } from "../../domain/cut.ts"
import type { Message } from "../../domain/Turn.ts"
import type { Sdk } from "./sdk.ts"

/** The sessions that are listed: the newest. */
const listed = 50
/** In characters; of a longer conversation the end. */
const longestTranscript = 1024 * 1024

export const registerResources = (
  { ProtocolError, ProtocolErrorCode, ResourceTemplate }: Sdk,
  server: McpServer,
  backend: Backend
): void => {
  const sessions = new ResourceTemplate("troupe://sessions/{id}", {
    list: async () => {
      const { items } = await backend.list({ limit: listed, cursor: null, state: null })
      return {
        resources: items.map(({ agent, createdAt, id, state, turnCount }) => ({
          uri: `troupe://sessions/${id}`,
          name: id,
          title: `${agent}, ${turnCount} ${turnCount === 1 ? "turn" : "turns"}, ${state}`,
          description: `A session of ${agent}, opened ${new Date(createdAt).toISOString()}.`,
          mimeType: "text/markdown"
        }))
      }
    }
  })
  server.registerResource(
    "session",
    sessions,
    { title: "A session's conversation", description: "All that was said, as text.", mimeType: "text/markdown" },
    async (uri, variables) => {
      try {
        const session = backend.session(String(variables["id"]))
        const { agent, id, turnCount } = await session.view()
        const text = transcriptOf(agent, id, await lastOf(session, turnCount))
        return { contents: [{ uri: uri.href, mimeType: "text/markdown", text }] }
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error)
        throw new ProtocolError(ProtocolErrorCode.InvalidParams, message)
      }
    }
  )
}

const turnsAtOnce = 20

/** The last turns as text, as many as are needed for the longest transcript, and whether there are others. */
const lastOf = async (session: SessionBackend, turnCount: number) => {
  let text = ""
  let first = turnCount
  while (first > 0 && text.length < longestTranscript) {
    const after = Math.max(0, first - turnsAtOnce)
    const turns = await session.turns(after, first - after)
    const sections = turns.flatMap(({ messages, recovered }) => recovered?.messages ?? messages).map(sectionOf)
    text = [...sections, ...(text === "" ? [] : [text])].join("\n\n")
    first = after
  }
  return { text: cutStart(text, longestTranscript), isWhole: first === 0 && text.length <= longestTranscript }
}

const transcriptOf = (
  agent: string,
  id: string,
  { isWhole, text }: { readonly text: string; readonly isWhole: boolean }
): string => {
  const left = isWhole ? "" : "What came first is left out here; the tool messages reads it.\n\n"
  return `# Session ${id} of ${agent}\n\n${left}${text}\n`
}

const sectionOf = ({ content, role, tool_calls = [] }: Message): string => {
  const calls = tool_calls.map(({ function: { arguments: args, name } }) => `- calls \`${name}\` ${args}`)
  return [`## ${role}`, ...(content === null || content === "" ? [] : [content]), ...calls].join("\n\n")
}
