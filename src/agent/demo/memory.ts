/**
 * The demo agent's sessions, with a journal of each where `TROUPE_DEMO_STATE` names a directory.
 *
 * A prompt is in the journal before its first update is sent, so a SIGKILL loses no prompt that was received. Without a
 * directory nothing is written to disk, and a session ends with its process.
 */
import { appendFileSync, existsSync, readdirSync, readFileSync, statSync, unlinkSync } from "node:fs"
import { join } from "node:path"
import type { Server } from "./content.ts"
import { defaults } from "./settings.ts"
import type { Settings } from "./settings.ts"
import { codes, Fault } from "./wire.ts"
import { cut } from "../../domain/cut.ts"
import { makeDirectory } from "../makeDirectory.ts"

/** `ask` asks before each tool; `default` asks only where the prompt says so; `plan` runs none. */
export const modes = [
  { id: "default", name: "Default", description: "Does what the prompt says, asks where it says so" },
  { id: "ask", name: "Ask", description: "Asks before every tool" },
  { id: "plan", name: "Plan", description: "Runs no tool" }
] as const

export interface Session {
  readonly id: string
  readonly cwd: string
  mode: string
  /** The system prompt. Not stored, because a client sends it each time it opens the session. */
  system: string
  /** As the client sends them each time it opens the session; nothing of it is stored. */
  settings: Settings
  servers: ReadonlyArray<Server>
  directories: ReadonlyArray<string>
  /** How many prompts the session has received, including those that were dropped from the history. */
  turns: number
  readonly history: Array<HistoryEntry>
  /** Characters in the history. */
  characters: number
  /** Kinds of tools that the client always allows. Not stored: a new process asks again. */
  readonly allowed: Set<string>
  running: Running | null
}

/** The running turn, as far as a client can affect it. */
export interface Running {
  readonly signal: AbortSignal
  readonly cancel: () => void
  readonly steer: (words: string) => void
}

export interface HistoryEntry {
  /** `steer`: a user's words for the running turn, which are no turn of their own. */
  readonly role: "user" | "agent" | "steer"
  readonly text: string
}

/** The bounds of a session's history. The oldest entries are dropped. */
const maxHistoryEntries = 1_000
const maxHistoryCharacters = 4 * 1024 * 1024

/** Only the beginning of an answer is stored, because only `session/load` reads it. */
const maxAnswerCharacters = 16 * 1024

/** A journal that was not written for this long is deleted. */
const deletedAfterMillis = 30 * 24 * 3_600_000

const directory = process.env["TROUPE_DEMO_STATE"] || null
const open = new Map<string, Session>()

export const begin = (cwd: string): Session => {
  const session = emptySession(crypto.randomUUID(), cwd)
  open.set(session.id, session)
  if (directory !== null) {
    makeDirectory(directory)
    deleteOld(directory)
    write(session, { cwd })
  }
  return session
}

export const find = (id: unknown): Session => {
  const session = typeof id === "string" ? open.get(id) : undefined
  if (session === undefined) throw notFound(id)
  return session
}

/** Finds a session of this process or of an earlier one. */
export const recall = (id: unknown, cwd: string): Session => {
  const existing = typeof id === "string" ? open.get(id) : undefined
  if (existing !== undefined) return existing
  // The id becomes a file's name, so it must have the form of our ids.
  if (directory === null || typeof id !== "string" || !/^[0-9a-f-]{36}$/.test(id)) throw notFound(id)
  const session = emptySession(id, cwd)
  for (const entry of read(join(directory, `${id}.ndjson`), id)) {
    if (entry.mode !== undefined) session.mode = entry.mode
    if (entry.user !== undefined) append(session, { role: "user", text: entry.user })
    if (entry.steer !== undefined) append(session, { role: "steer", text: entry.steer })
    if (entry.agent !== undefined) append(session, { role: "agent", text: entry.agent })
  }
  open.set(id, session)
  return session
}

/** A copy of the conversation, which goes on apart from it. */
export const fork = (source: Session, cwd: string): Session => {
  const copy = begin(cwd)
  for (const entry of source.history) remember(copy, entry)
  return copy
}

/** The sessions that have a prompt: of this process, and those in the directory. */
export const list = () => {
  const stored =
    directory === null || !existsSync(directory)
      ? []
      : readdirSync(directory).flatMap((name) => /^([0-9a-f-]{36})\.ndjson$/.exec(name)?.[1] ?? [])
  return [...new Set([...open.keys(), ...stored])].flatMap((id) => {
    const file = directory === null ? null : join(directory, `${id}.ndjson`)
    const entries = file === null ? [] : read(file, id)
    const title = open.get(id)?.history[0]?.text ?? entries.find(({ user }) => user !== undefined)?.user
    const updatedAt = file === null ? new Date() : statSync(file).mtime
    const cwd = open.get(id)?.cwd ?? entries[0]?.cwd ?? "/"
    return title === undefined
      ? []
      : [{ sessionId: id, cwd, title: cut(title, 80), updatedAt: updatedAt.toISOString() }]
  })
}

export const forget = (session: Session): void => void open.delete(session.id)

export const remember = (session: Session, { role, text }: HistoryEntry): void => {
  const entry = { role, text: role === "agent" ? cut(text, maxAnswerCharacters) : text }
  append(session, entry)
  write(session, { [role]: entry.text })
}

/** Gives whether the mode changed. */
export const setMode = (session: Session, modeId: unknown): boolean => {
  const mode = modes.find(({ id }) => id === modeId)
  if (mode === undefined) {
    throw new Fault(codes.invalidParams, `modeId is one of ${modes.map(({ id }) => id).join(", ")}`)
  }
  if (session.mode === mode.id) return false
  session.mode = mode.id
  write(session, { mode: mode.id })
  return true
}

const emptySession = (id: string, cwd: string): Session => ({
  id,
  cwd,
  mode: "default",
  system: "",
  settings: { ...defaults },
  servers: [],
  directories: [],
  turns: 0,
  history: [],
  characters: 0,
  allowed: new Set(),
  running: null
})

const append = (session: Session, entry: HistoryEntry) => {
  if (entry.role === "user") session.turns++
  session.history.push(entry)
  session.characters += entry.text.length
  while (session.history.length > maxHistoryEntries || session.characters > maxHistoryCharacters) {
    session.characters -= session.history.shift()?.text.length ?? 0
  }
}

type JournalEntry = { readonly [key in "cwd" | "mode" | HistoryEntry["role"]]?: string }

const write = (session: Session, entry: JournalEntry) => {
  if (directory === null) return
  appendFileSync(join(directory, `${session.id}.ndjson`), `${JSON.stringify(entry)}\n`, { mode: 0o600 })
}

const read = (file: string, id: string): ReadonlyArray<JournalEntry> => {
  let lines: ReadonlyArray<string>
  try {
    lines = readFileSync(file, "utf8").split("\n")
  } catch {
    throw notFound(id)
  }
  return lines.flatMap((line) => {
    try {
      return line === "" ? [] : [JSON.parse(line) as JournalEntry]
    } catch {
      // A power failure cut this line off, before any update about it was sent.
      return []
    }
  })
}

const deleteOld = (directory: string) => {
  for (const name of readdirSync(directory)) {
    const file = join(directory, name)
    try {
      if (name.endsWith(".ndjson") && Date.now() - statSync(file).mtimeMs > deletedAfterMillis) unlinkSync(file)
    } catch {
      // Another demo agent has deleted it.
    }
  }
}

const notFound = (id: unknown) => new Fault(codes.notFound, "Resource not found", { sessionId: id })
