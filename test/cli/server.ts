/** A server that a test of the command line has started, and calls of its first app. */
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import type { Running, Workspace } from "./program.ts"

export interface Server {
  readonly program: Running
  readonly url: string
  readonly token: string
  readonly call: (method: string, path: string, body?: unknown) => Promise<Record<string, unknown>>
}

/** Starts the server on a free port, with the data dir `.troupe` of the workspace, and waits until it serves. */
export const openServer = async (workspace: Workspace, env: Readonly<Record<string, string>> = {}): Promise<Server> => {
  const program = workspace.start(["serve", "--port", "0"], { TROUPE_LOG_FORMAT: "pretty", ...env })
  const [, url = ""] = await program.printed(/listens on (http:\/\/\S+)[^]*curl/)
  const token = readFileSync(join(workspace.cwd, ".troupe", "app-token"), "utf8").trim()
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" }
  const call: Server["call"] = async (method, path, body) => {
    const response = await fetch(url + path, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) })
    return (await response.json()) as Record<string, unknown>
  }
  return { program, url, token, call }
}

/** A new session of the demo agent. */
export const sessionOf = async ({ call }: Server) =>
  String((await call("POST", "/sessions", { agent: "demo" }))["session_id"])

/** The pid of a session's agent. */
export const pidOf = async ({ call }: Server, session: string) =>
  ((await call("GET", `/sessions/${session}`))["process"] as { readonly pid: number }).pid

/** The pid of the process that would end the server's agents after its death. */
export const wardenOf = ({ program }: Server): number => {
  const { stdout } = spawnSync("ps", ["-o", "pid=,args=", "--ppid", String(program.child.pid)], { encoding: "utf8" })
  return Number(/^ *(\d+) .*warden\/main\.js$/m.exec(stdout)?.[1])
}

/** Waits until the agent has said something in the session; `words`: that, where an earlier turn was answered before. */
export const untilSpeaking = async ({ token, url }: Server, session: string, words = "agent_message_chunk") => {
  const reading = new AbortController()
  const response = await fetch(`${url}/sessions/${session}/events`, {
    headers: { authorization: `Bearer ${token}` },
    signal: reading.signal
  })
  let text = ""
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk
    if (text.includes(words)) break
  }
  reading.abort()
}
