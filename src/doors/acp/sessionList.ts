/** The caller's sessions that are not closed, as the protocol lists them. */
import type { ListSessionsRequest, ListSessionsResponse } from "@agentclientprotocol/sdk"
import type { Backend, SessionInfo } from "../../backend/Backend.ts"

const pageSize = 50
/** Pages that are read for one answer where a directory is asked for: the client comes back with the cursor for more. */
const mostPages = 10

export const listed = async (
  backend: Backend,
  { cursor: given, cwd }: ListSessionsRequest
): Promise<ListSessionsResponse> => {
  const found: Array<SessionInfo> = []
  let cursor = given ?? null
  for (let page = 0; page < mostPages; page++) {
    const { items, next } = await backend.list({ limit: pageSize, cursor, state: "open" })
    found.push(...(typeof cwd === "string" ? items.filter((session) => session.cwd === cwd) : items))
    cursor = next
    if (cursor === null || found.length >= pageSize || typeof cwd !== "string") break
  }
  return { sessions: found.map(entryOf), ...(cursor === null ? {} : { nextCursor: cursor }) }
}

const entryOf = ({ additionalDirectories, agent, createdAt, cwd, id, lastTurnAt, title, turnCount }: SessionInfo) => ({
  sessionId: id,
  cwd,
  ...(title === null ? {} : { title }),
  ...(additionalDirectories.length === 0 ? {} : { additionalDirectories: [...additionalDirectories] }),
  updatedAt: new Date(lastTurnAt ?? createdAt).toISOString(),
  _meta: { "troupe/agent": agent, "troupe/turns": turnCount }
})
