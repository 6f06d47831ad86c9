/** Each permission word on the real codex, as its table says (`domain/permissionTable.ts`): what happens, what is asked. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { appendFileSync, existsSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { actions, agents } from "../../src/domain/permissionTable.ts"
import type { Action, Cell, Row } from "../../src/domain/permissionTable.ts"
import * as Installation from "./harness/Installation.ts"
import { answering, elsewhere, web } from "./harness/surroundings.ts"

const words = ["deny", "approve_reads", "ask", "approve_edits", "approve_all"] as const

/** Attempts by their names. `plain` is made in codex's sandbox, which asks nothing; all others reach a question. */
type Attempts = Readonly<Record<string, string>>

const attemptsOf = (action: Action, at: Places): Attempts => {
  const file = (name: string) => at.file(action, name)
  switch (action) {
    case "read in cwd":
      return { plain: `RUN:cat ${at.inside}` }
    case "read outside":
      return { plain: `RUN:cat ${at.outside}` }
    case "edit in cwd":
      return { patch: `WRITE:${file("patch")}|x` }
    case "command":
      return {
        plain: `RUN:touch ${file("plain")}`,
        escalated: `ASK:touch ${file("escalated")}`,
        // Codex calls these two a read and a search.
        awk: `ASK:awk 'BEGIN{system("touch ${at.elsewhere("awk")}")}' ${at.inside}`,
        find: `ASK:find . -fprint ${at.elsewhere("find")}`
      }
    case "write outside":
      return {
        plain: `RUN:touch ${file("plain")}`,
        escalated: `ASK:touch ${file("escalated")}`,
        patch: `WRITE:${file("patch")}|x`
      }
    case "write in /tmp":
      return { plain: `RUN:touch ${file("plain")}`, escalated: `ASK:touch ${file("escalated")}` }
    case "network":
      return { plain: `RUN:${at.request}`, escalated: `ASK:${at.request}` }
    case "MCP tool":
      return { call: "MCP:traces/poke" }
  }
}

interface Places {
  readonly inside: string
  readonly outside: string
  readonly request: string
  readonly elsewhere: (name: string) => string
  readonly file: (action: Action, name: string) => string
}

interface Observed {
  readonly done: ReadonlyArray<string>
  readonly questions: number
}

const expectedOf = (cell: Cell, action: Action, attempts: Attempts): Observed => {
  const names = Object.keys(attempts)
  if (action.startsWith("read")) return { done: cell === "asked" || cell === "refused" ? [] : names, questions: 0 }
  switch (cell) {
    case "happens":
      // Outside of its directories only what codex asks for happens, and is approved.
      return { done: action === "write outside" ? names.filter((name) => name !== "plain") : names, questions: 0 }
    case "asked":
    case "reads_or_asked":
      return { done: [], questions: names.filter((name) => name !== "plain").length }
    case "refused":
    case "reads":
      return { done: [], questions: 0 }
  }
}

const opened = (permissions: (typeof words)[number]) =>
  Effect.gen(function* () {
    const installation = yield* Installation.make
    const outside = yield* elsewhere
    const net = yield* web
    const home = dirname(installation.cwd)
    const traces = join(outside, "mcp")
    const server = JSON.stringify([join(import.meta.dirname, "harness/mcpServer.ts"), traces])
    appendFileSync(
      join(home, "codex/config.toml"),
      `\n[mcp_servers.traces]\ncommand = ${JSON.stringify(process.execPath)}\nargs = ${server}\n`
    )
    writeFileSync(installation.file("inside.txt"), "the heron inside")
    writeFileSync(join(outside, "outside.txt"), "the stork outside")
    const troupe = yield* installation.serve()
    const app = yield* troupe.app("scene")
    const session = yield* app.create({ agent: "codex", cwd: installation.cwd, permissions })
    const questions = yield* answering(session, "deny")
    // Its name can't be another test's.
    const inTmp = join("/tmp", `troupe-real-${home.replaceAll("/", "-")}`)
    yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(`${inTmp}-plain`, { force: true })))
    yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(`${inTmp}-escalated`, { force: true })))
    const at: Places = {
      inside: installation.file("inside.txt"),
      outside: join(outside, "outside.txt"),
      request: net.command,
      elsewhere: (name) => join(outside, name),
      file: (action, name) => {
        if (action === "write in /tmp") return `${inTmp}-${name}`
        return action === "write outside" ? join(outside, `file-${name}`) : installation.file(`${action[0]}-${name}`)
      }
    }
    return { at, net, questions, session, traces }
  })

describe("codex", () => {
  it.live.each(words)("%s: happens and is asked what the table of permissions says", (word) =>
    Effect.gen(function* () {
      const { at, net, questions, session, traces } = yield* opened(word)
      /** One attempt a turn: codex may end a turn where a person says no. */
      const happens = Effect.fnUntraced(function* (action: Action, name: string, line: string) {
        const { body } = yield* session.turn(`${line}\nSAY:as you wish`)
        assert.isTrue(body.ok, JSON.stringify(body.error))
        if (action.startsWith("read")) return /the heron inside|the stork outside/.test(JSON.stringify(body.messages))
        if (action === "network") return net.requests() > 0
        if (action === "MCP tool") return existsSync(`${traces}.called`)
        return existsSync(name === "awk" || name === "find" ? at.elsewhere(name) : at.file(action, name))
      })
      const observed: Partial<Record<Action, Observed>> = {}
      const expected: Partial<Record<Action, Observed>> = {}
      const row: Row = agents.codex.rows[word]
      for (const [index, action] of actions.entries()) {
        const attempts = attemptsOf(action, at)
        const done: Array<string> = []
        for (const [name, line] of Object.entries(attempts)) if (yield* happens(action, name, line)) done.push(name)
        observed[action] = { done, questions: questions() }
        expected[action] = expectedOf(row[index] ?? "refused", action, attempts)
      }
      assert.deepStrictEqual(observed, expected)
    })
  )

  it.live("approve_edits: a person is asked for settings of git and agents, and for files behind a link", () =>
    Effect.gen(function* () {
      const { at, questions, session } = yield* opened("approve_edits")
      symlinkSync(dirname(at.outside), at.file("edit in cwd", "link"))
      for (const path of [
        at.file("edit in cwd", "link/new"),
        join(dirname(at.inside), ".codex/config.toml"),
        join(dirname(at.inside), ".git/hooks/post-checkout")
      ]) {
        assert.isTrue((yield* session.turn(`WRITE:${path}|x\nSAY:as you wish`)).body.ok)
        assert.strictEqual(questions(), 1, path)
        assert.isFalse(existsSync(path), path)
      }
    })
  )
})
