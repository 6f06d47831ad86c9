/** The requests that open, copy and list the demo agent's sessions, and those that set something of one. */
import { isAbsolute } from "node:path"
import * as Content from "./content.ts"
import * as Memory from "./memory.ts"
import * as Settings from "./settings.ts"
import { codes, Fault, send, text, update } from "./wire.ts"

export type Params = Readonly<Record<string, unknown>>

/** How the process was told to begin (`TROUPE_DEMO_START`). */
export interface Start {
  readonly refusesLogin: boolean
  readonly forgets: boolean
}

const cwdOf = ({ cwd }: Params): string => {
  if (typeof cwd !== "string" || !isAbsolute(cwd)) throw new Fault(codes.invalidParams, "cwd is an absolute path")
  return cwd
}

const opened = (session: Memory.Session, params: Params) => {
  const { additionalDirectories, mcpServers, systemPrompt } = params
  session.servers = Content.serversIn(mcpServers)
  session.directories = Content.directoriesIn(additionalDirectories)
  // In each request that opens a session, as for both real adapters: `{ mode, content: [{ type: "text", text }] }`.
  const { content } = (systemPrompt ?? {}) as { readonly content?: unknown }
  if (Array.isArray(content)) session.system = Content.textIn(content)
  // Behind the reply, as the real adapters do it.
  setImmediate(() => {
    for (const { name } of session.servers.filter(({ isMissing }) => isMissing)) {
      const title = `MCP server "${name}" failed to start`
      update(session.id, { sessionUpdate: "notice", severity: "warning", title, description: "It has no program." })
    }
  })
  return {
    modes: { currentModeId: session.mode, availableModes: Memory.modes },
    configOptions: Settings.configOptions(session)
  }
}

export const requests = ({ forgets, refusesLogin }: Start): Readonly<Record<string, (params: Params) => unknown>> => {
  const find = (params: Params) => {
    if (forgets) throw new Fault(codes.notFound, "Resource not found", { sessionId: params["sessionId"] })
    return Memory.recall(params["sessionId"], cwdOf(params))
  }
  return {
    "session/new": (params) => {
      if (refusesLogin) throw new Fault(codes.authRequired, "Authentication required")
      const session = Memory.begin(cwdOf(params))
      return { sessionId: session.id, ...opened(session, params) }
    },
    "session/resume": (params) => opened(find(params), params),
    "session/load": (params) => {
      const session = find(params)
      for (const { role, text: words } of session.history) {
        const sessionUpdate = `${role === "agent" ? "agent" : "user"}_message_chunk`
        update(session.id, { sessionUpdate, content: text(words) })
      }
      return opened(session, params)
    },
    "session/fork": (params) => {
      const copy = Memory.fork(find(params), cwdOf(params))
      return { sessionId: copy.id, ...opened(copy, { mcpServers: [], ...params }) }
    },
    "session/list": ({ cwd }) => ({
      sessions: Memory.list().filter((session) => typeof cwd !== "string" || session.cwd === cwd)
    }),
    "session/set_mode": (params) => {
      const session = Memory.find(params["sessionId"])
      if (Memory.setMode(session, params["modeId"])) {
        update(session.id, { sessionUpdate: "current_mode_update", currentModeId: session.mode })
      }
      return {}
    },
    "session/set_config_option": ({ configId, sessionId, value }) => {
      const session = Memory.find(sessionId)
      Settings.set(session, configId, value)
      return { configOptions: Settings.configOptions(session) }
    }
  }
}

/** An error reply. */
export const sendError = (id: unknown, cause: unknown): void => {
  const fault = cause instanceof Fault ? cause : new Fault(codes.internal, `Internal error: ${String(cause)}`)
  const data = fault.data === undefined ? {} : { data: fault.data }
  send({ id, error: { code: fault.code, message: fault.message, ...data } })
}
