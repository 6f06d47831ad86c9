/**
 * What the demo agent remembers: its sessions, and a journal of each where `TROUPE_DEMO_STATE` names a directory.
 *
 * A prompt is in its journal before anything is said about it, so a SIGKILL at any moment loses nothing that was heard.
 * Without a directory nothing touches the disk, and a session is gone with its process.
 */
import { appendFileSync, mkdirSync, readdirSync, readFileSync, statSync, unlinkSync } from "node:fs"
import { join } from "node:path"
import { codes, Fault } from "./wire.ts"

/** `ask` asks before a tool runs; `default` asks only where the prompt says so. */
export const modes = [
  { id: "default", name: "Default", description: "Does what the prompt says, asks where it says so" },
  { id: "ask", name: "Ask", description: "Asks before every tool" }
] as const

export interface Session {
  readonly id: string
  readonly cwd: string
  mode: string
  /** Not kept: whoever opens a session gives it again. */
  system: string
  /** Prompts heard so far, forgotten ones too. */
  turns: number
  readonly history: Array<Said>
  /** Characters in the history. */
  width: number
  /** Kinds of tools that the client allowed for good. Not kept: a new process asks again. */
  readonly allowed: Set<string>
  running: Running | null
}

/** The turn that runs, as far as a client reaches it. */
export interface Running {
  readonly signal: AbortSignal
  readonly cancel: () => void
  readonly steer: (words: string) => void
}

export interface Said {
  /** `steer`: a user's words for the turn that runs, which make no turn of their own. */
  readonly role: "user" | "agent" | "steer"
  readonly text: string
}

/** What a session remembers word for word, in entries and characters; older words are forgotten. */
const longestHistory = 1_000
const widestHistory = 4 * 1024 * 1024

/** Of an answer its beginning is enough: nobody recalls it but who loads the session. */
const longestAnswer = 16 * 1024

/** A journal that nobody has written for this long belongs to nobody. */
const forgottenAfterMillis = 30 * 24 * 3_600_000

const directory = process.env["TROUPE_DEMO_STATE"] || null
const open = new Map<string, Session>()

export const begin = (cwd: string): Session => {
  const session = blank(crypto.randomUUID(), cwd)
  open.set(session.id, session)
  if (directory !== null) {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    forgetOld(directory)
    write(session, { cwd })
  }
  return session
}

export const find = (id: unknown): Session => {
  const session = typeof id === "string" ? open.get(id) : undefined
  if (session === undefined) throw notFound(id)
  return session
}

/** Of this process or of one before it. */
export const recall = (id: unknown, cwd: string): Session => {
  const known = typeof id === "string" ? open.get(id) : undefined
  if (known !== undefined) return known
  // An id becomes a file's name, so it must look like one of ours.
  if (directory === null || typeof id !== "string" || !/^[0-9a-f-]{36}$/.test(id)) throw notFound(id)
  const session = blank(id, cwd)
  for (const entry of read(join(directory, `${id}.ndjson`), id)) {
    if (entry.mode !== undefined) session.mode = entry.mode
    if (entry.user !== undefined) keep(session, { role: "user", text: entry.user })
    if (entry.steer !== undefined) keep(session, { role: "steer", text: entry.steer })
    if (entry.agent !== undefined) keep(session, { role: "agent", text: entry.agent })
  }
  open.set(id, session)
  return session
}

export const forget = (session: Session): void => void open.delete(session.id)

export const remember = (session: Session, { role, text }: Said): void => {
  const said = { role, text: role === "agent" ? text.slice(0, longestAnswer) : text }
  keep(session, said)
  write(session, { [role]: said.text })
}

/** Whether it was another one before. */
export const setMode = (session: Session, mode: unknown): boolean => {
  const known = modes.find(({ id }) => id === mode)
  if (known === undefined) {
    throw new Fault(codes.invalidParams, `modeId is one of ${modes.map(({ id }) => id).join(", ")}`)
  }
  if (session.mode === known.id) return false
  session.mode = known.id
  write(session, { mode: known.id })
  return true
}

const blank = (id: string, cwd: string): Session => ({
  id,
  cwd,
  mode: "default",
  system: "",
  turns: 0,
  history: [],
  width: 0,
  allowed: new Set(),
  running: null
})

const keep = (session: Session, said: Said) => {
  if (said.role === "user") session.turns++
  session.history.push(said)
  session.width += said.text.length
  while (session.history.length > longestHistory || session.width > widestHistory) {
    session.width -= session.history.shift()?.text.length ?? 0
  }
}

type Entry = { readonly [key in "cwd" | "mode" | Said["role"]]?: string }

const write = (session: Session, entry: Entry) => {
  if (directory === null) return
  appendFileSync(join(directory, `${session.id}.ndjson`), `${JSON.stringify(entry)}\n`, { mode: 0o600 })
}

const read = (file: string, id: string): ReadonlyArray<Entry> => {
  let lines: ReadonlyArray<string>
  try {
    lines = readFileSync(file, "utf8").split("\n")
  } catch {
    throw notFound(id)
  }
  return lines.flatMap((line) => {
    try {
      return line === "" ? [] : [JSON.parse(line) as Entry]
    } catch {
      // The line that a power cut tore: nothing was said about it yet.
      return []
    }
  })
}

const forgetOld = (directory: string) => {
  for (const name of readdirSync(directory)) {
    const file = join(directory, name)
    try {
      if (name.endsWith(".ndjson") && Date.now() - statSync(file).mtimeMs > forgottenAfterMillis) unlinkSync(file)
    } catch {
      // Another demo agent was faster.
    }
  }
}

const notFound = (id: unknown) => new Fault(codes.notFound, "Resource not found", { sessionId: id })
