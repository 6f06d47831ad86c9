/**
 * What an agent does under a word of `permissions`, as its effects show: files on the disk, requests that reach a server,
 * contents in the answer, and the questions that a person was asked. A person here says no to everything.
 */
import { assert } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { basename, dirname, join } from "node:path"
import type { Action, Cell, Row } from "../../../src/domain/permissionTable.ts"
import { actions } from "../../../src/domain/permissionTable.ts"
import type { PermissionPolicy } from "../../../src/domain/Permissions.ts"
import type { App, CreateSession, Session } from "./App.ts"
import * as Installation from "./Installation.ts"
import type { AcpEvent, Turn } from "./wire.ts"

/** A server of which it is known what reached it. */
const server = Effect.acquireRelease(
  Effect.callback<{ readonly port: number; readonly requests: Array<string>; readonly close: () => void }>((resume) => {
    const requests: Array<string> = []
    const listener = createServer((request, response) => {
      requests.push(`${request.url} ${JSON.stringify(request.headers)}`)
      response.end("served")
    })
    listener.listen(0, "127.0.0.1", () => {
      const { port } = listener.address() as AddressInfo
      resume(
        Effect.succeed({ port, requests, close: () => void [listener.closeAllConnections(), listener.close()].length })
      )
    })
  }),
  ({ close }) => Effect.sync(close)
)

const temporary = (prefix: string) =>
  Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(prefix)),
    (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
  )

/** A repository in which the agent works, a directory outside of every sandbox's, one in /tmp, and a foreign server. */
export const openWith = Effect.fnUntraced(function* (more: object) {
  const installation = yield* Installation.makeWith(more)
  const troupe = yield* installation.serve()
  const app = yield* troupe.app("scene")
  const outside = yield* temporary("/var/tmp/troupe-real-")
  const inTmp = yield* temporary("/tmp/troupe-real-")
  const foreign = yield* server
  writeFileSync(installation.file("a.txt"), "alpha-inside")
  writeFileSync(join(outside, "a.txt"), "alpha-outside")
  /** Files of the repository, relative to its root. */
  const write = (files: Readonly<Record<string, string | object>>) => {
    for (const [name, content] of Object.entries(files)) {
      const file = installation.file(name)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content, null, 1), { mode: 0o755 })
    }
  }
  return { app, foreign, installation, inTmp, outside, troupe, write }
})
export const open = openWith({})
export type Scene = Effect.Success<typeof open>

/** Runs a turn, says no to every question, and gives their titles. */
export const turnRefusing = Effect.fnUntraced(function* (session: Session, prompt: string) {
  const titles: Array<string> = []
  const seen = new Set<string>()
  const answering = Effect.gen(function* () {
    const next: { id: string | null } = { id: null }
    yield* session.hears("a question", ({ method, params }: AcpEvent) => {
      const { approval_id: id, title } = (params ?? {}) as { readonly approval_id?: string; readonly title?: string }
      if (method !== "_troupe/approval_asked" || id === undefined || asked(session).has(id)) return false
      asked(session).add(id)
      seen.add(id)
      titles.push(title ?? "")
      next.id = id
      return true
    })
    if (next.id !== null) yield* session.answer(next.id, "deny")
  }).pipe(Effect.forever)
  const answers = yield* Effect.forkChild(answering)
  const { body } = yield* session.turn(prompt)
  yield* Fiber.interrupt(answers)
  return { body, titles }
})

const askedBySession = new WeakMap<Session, Set<string>>()
const asked = (session: Session): Set<string> => {
  const known = askedBySession.get(session) ?? new Set<string>()
  askedBySession.set(session, known)
  return known
}

/** Numbers the files that agents are to read. */
let reads = 0

const outputs = ({ messages }: Turn) =>
  messages.flatMap(({ content, role }) => (role === "tool" ? [content ?? ""] : []))

/** The cell of the table that the agent's behaviour amounts to. */
const cellOf = Effect.fnUntraced(function* (
  action: Action,
  session: Session,
  scene: Scene,
  { row, silent }: { readonly row: Row; readonly silent: boolean }
) {
  const { foreign, installation, inTmp, outside } = scene
  const turn = (...lines: ReadonlyArray<string>) => turnRefusing(session, [...lines, "SAY:done"].join("\n"))
  /** Each attempt is a turn, because some agents end a turn that is refused. `has`: whether it had its effect. */
  const attempt = Effect.fnUntraced(function* (line: string, has: (turn: Turn) => boolean) {
    const { body, titles } = yield* turn(line)
    return { asked: titles.length > 0, happened: has(body) }
  })
  const file = (path: string) => () => existsSync(path)
  const asks = () => installation.model.asked().map(({ request }) => JSON.stringify(request))
  /** Its own content tells this read from those before it. */
  const read = Effect.fnUntraced(function* (directory: string, line: (path: string) => string) {
    const content = `alpha-${(reads += 1)}-read`
    const path = join(directory, `a${reads}.txt`)
    writeFileSync(path, content)
    return yield* attempt(line(path), (body) =>
      (silent ? asks() : outputs(body)).some((text) => text.includes(content))
    )
  })
  const requests = (path: string) => () => foreign.requests.some((request) => request.startsWith(path))
  const of = (attempts: ReadonlyArray<{ readonly asked: boolean; readonly happened: boolean }>): Cell => {
    if (attempts.some(({ asked, happened }) => asked && happened))
      return assert.fail("it happened although it was refused")
    if (attempts.some(({ asked }) => asked)) return "asked"
    return attempts.some(({ happened }) => happened) ? "happens" : "refused"
  }
  const url = (path: string) => `http://127.0.0.1:${foreign.port}${path}`
  switch (action) {
    case "read in cwd": {
      const tool = yield* read(installation.cwd, (path) => `READ:${path}`)
      // Of an agent that asks for each command its own tools read; the command is tried in the column of commands.
      const asksForAll = row[actions.indexOf("command")] === "asked"
      return of(asksForAll ? [tool] : [tool, yield* read(installation.cwd, (path) => `RUN:cat ${basename(path)}`)])
    }
    case "read outside":
      return of([yield* read(outside, (path) => `READ:${path}`), yield* read(outside, (path) => `RUN:cat ${path}`)])
    case "edit in cwd": {
      const path = installation.file("edited.txt")
      return of([yield* attempt(`WRITE:${path}|x`, file(path))])
    }
    case "command": {
      const reading = yield* read(installation.cwd, (path) => `RUN:cat ${basename(path)}`)
      const writes = of([
        yield* attempt("RUN:touch plain", file(installation.file("plain"))),
        yield* attempt("ASK:touch escalated", file(installation.file("escalated")))
      ])
      if (!reading.happened || reading.asked) return writes
      return writes === "refused" ? "reads" : writes === "asked" ? "reads_or_asked" : writes
    }
    case "write outside":
    case "write in /tmp": {
      const at = action === "write outside" ? outside : inTmp
      return of([
        yield* attempt(`RUN:touch ${at}/plain`, file(join(at, "plain"))),
        yield* attempt(`ASK:touch ${at}/escalated`, file(join(at, "escalated"))),
        yield* attempt(`WRITE:${at}/edited.txt|x`, file(join(at, "edited.txt")))
      ])
    }
    case "network":
      return of([
        yield* attempt(`RUN:curl -s ${url("/plain")}`, requests("/plain")),
        yield* attempt(`ASK:curl -s ${url("/escalated")}`, requests("/escalated"))
      ])
    case "MCP tool":
      return of([yield* attempt("MCP:traces/poke", file(join(outside, "mcp.called")))])
  }
})

/** What a cell looks like for an action: a read that happens in a sandbox is a read that happens. */
const seen = (action: Action, cell: Cell): Cell => (action === "read outside" && cell === "reads" ? "happens" : cell)

/** How long a row may take: sixteen turns. */
export const aRow = 300_000

export interface RowOptions {
  /** Agents besides those that every installation has. */
  readonly more?: object
  /** The agent takes no MCP servers with a session: that column is not tried. */
  readonly withoutMcp?: boolean
  /** The agent does not tell its client what it read: the model's requests show it. */
  readonly silent?: boolean
}

/** An MCP server whose tool leaves a trace outside of the session's directory. */
const mcpServer = (outside: string) => ({
  name: "traces",
  command: process.execPath,
  args: [join(import.meta.dirname, "mcpServer.ts"), join(outside, "mcp")]
})

/** Has an agent try all that the table names, under one word, and compares. */
export const assertRow = Effect.fnUntraced(function* (
  agent: string,
  permissions: PermissionPolicy,
  row: Row,
  { more = {}, silent = false, withoutMcp = false }: RowOptions = {}
) {
  const scene = yield* openWith(more)
  const servers = withoutMcp ? {} : { mcp_servers: [mcpServer(scene.outside)] }
  const session = yield* scene.app.create({ agent, permissions, cwd: scene.installation.cwd, ...servers })
  const observed: Partial<Record<Action, Cell>> = {}
  const expected: Partial<Record<Action, Cell>> = {}
  for (const [index, action] of actions.entries()) {
    const cell = row[index]
    if ((action === "MCP tool" && withoutMcp) || cell === undefined) continue
    observed[action] = yield* cellOf(action, session, scene, { row, silent })
    expected[action] = seen(action, cell)
  }
  assert.deepStrictEqual(observed, expected)
})

/** Answers of `POST /sessions` that refuse the permissions. */
export const assertRefused = Effect.fnUntraced(function* (app: App, options: CreateSession, problem: RegExp) {
  const { body, status } = yield* app.tryCreate(options)
  assert.strictEqual(status, 422)
  assert.include(body, { error: "not_supported" })
  assert.match(body.detail ?? "", problem)
})

/** What is in a file, or `null`. */
export const contentOf = (path: string): string | null => (existsSync(path) ? readFileSync(path, "utf8") : null)
