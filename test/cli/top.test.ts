/** `troupe top` as a program, in a real terminal, on a real server with the demo agent. */
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { constants } from "node:os"
import { join } from "node:path"
import { makeWorkspace } from "./program.ts"
import type { Workspace } from "./program.ts"
import { hasPython, openTerminal } from "./terminal.ts"
import type { Size, Terminal } from "./terminal.ts"

let workspace: Workspace
const terminals = new Set<Terminal>()
beforeEach(() => {
  workspace = makeWorkspace()
})
afterEach(async () => {
  for (const terminal of terminals) await terminal.leave()
  terminals.clear()
  await workspace.cleanUp()
})

const serve = async (port = "0") => {
  const program = workspace.start(["serve", "--port", port])
  const [, url = ""] = await program.printed(/listens on (http:\/\/\S+)[^]*curl/)
  const token = readFileSync(join(workspace.cwd, ".troupe", "app-token"), "utf8").trim()
  const call = async (path: string, body: object) => {
    const response = await fetch(url + path, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify(body)
    })
    return (await response.json()) as Record<string, unknown>
  }
  const create = async (more: object = {}) =>
    String((await call("/sessions", { agent: "demo", ...more }))["session_id"])
  const turn = (id: string, prompt: string, wait = false) => call(`/sessions/${id}/turn`, { prompt, wait })
  return { program, url, token, create, turn, env: { TROUPE_URL: url, TROUPE_TOKEN: token } }
}

const small: Size = { columns: 80, rows: 24 }

const watch = (env: Readonly<Record<string, string>>, size = small, args: ReadonlyArray<string> = []): Terminal => {
  const terminal = openTerminal(["top", ...args], { ...size, cwd: workspace.cwd, env })
  terminals.add(terminal)
  return terminal
}

const shortOf = (id: string) => id.slice(4, 12)

const isGivenBack = ({ picture }: Terminal) => {
  const [screen, cursor, wraps] = ["1049", "25", "7"].map(picture.mode)
  assert.deepStrictEqual({ screen, cursor, wraps }, { screen: false, cursor: true, wraps: true })
}

describe.skipIf(!hasPython)("troupe top in a terminal", () => {
  it("follows a turn, interrupts it once that is confirmed, and restores the terminal", async () => {
    const server = await serve()
    const id = await server.create()
    const terminal = watch(server.env)
    await terminal.shows(new RegExp(`○ asleep +${shortOf(id)}[^]*\\[asleep\\]`))
    await terminal.shows(/● live/)

    await server.turn(id, "slow 5000 20")
    await terminal.shows(/● turning 1[^]*● running[^]*\[running\][^]*agent +.*word\d/)
    terminal.keys("i")
    await terminal.shows(new RegExp(`Interrupt the turn of ${id}\\?`))
    terminal.keys("n")
    await terminal.shows(/q quit/)
    terminal.keys("i")
    await terminal.shows(/Interrupt the turn/)
    terminal.keys("y")
    await terminal.shows(/○ awake[^]*\[awake\]/)

    terminal.keys("q")
    assert.deepStrictEqual(await terminal.ended, { code: 0, restored: true })
    isGivenBack(terminal)
    assert.notInclude(terminal.picture.written(), server.token)
  })

  it("filters on the server, closes the session under the cursor, and redraws when it is resized", async () => {
    const server = await serve()
    const [first, second] = [await server.create(), await server.create()]
    const terminal = watch(server.env)
    await terminal.shows(/2 sessions/)
    terminal.keys(`/${first}`)
    await terminal.shows(new RegExp(`/${first} +Enter keeps it`))
    terminal.keys("\r")
    await terminal.shows(/ 1 session of “ses_/)
    assert.notInclude(terminal.picture.text(), shortOf(second))
    terminal.keys("c")
    await terminal.shows(new RegExp(`Close ${first}\\?`))
    terminal.keys("y")
    await terminal.shows(/· closed 1[^]*\[closed\]/)
    terminal.keys("\u001b")
    await terminal.shows(new RegExp(shortOf(second)))

    terminal.resize({ columns: 140, rows: 50 })
    const wide = await terminal.shows(/machine +out of/)
    assert.include(wide, second, "there is room for the whole id")
    terminal.resize({ columns: 30, rows: 6 })
    await terminal.shows(/^The terminal is too small/)
    terminal.resize(small)
    await terminal.shows(/q quit/)
    terminal.keys("?")
    await terminal.shows(/interrupt the turn that runs/)
    terminal.keys("\u0003")
    assert.deepStrictEqual(await terminal.ended, { code: 0, restored: true })
    isGivenBack(terminal)
  })

  it("loads the next page where the first one ends", async () => {
    const server = await serve()
    const ids: Array<string> = []
    while (ids.length < 120) ids.push(await server.create())
    const oldest = (nth: number) => new RegExp(`○ asleep +${shortOf(ids[nth] ?? "")}`)
    const terminal = watch(server.env)
    await terminal.shows(/120 sessions/)
    terminal.keys("G")
    await terminal.shows(oldest(19))
    terminal.keys("G")
    await terminal.shows(oldest(0))
    terminal.keys("q")
    assert.deepInclude(await terminal.ended, { code: 0 })
  })

  it("answers an approval only after it was chosen, and shows the agent's control sequences without sending them", async () => {
    const server = await serve()
    const id = await server.create({ permissions: "ask" })
    await server.turn(id, "evil \u001b]0;owned\u0007\u001b[2J", true)
    const terminal = watch(server.env)
    await terminal.shows(/evil ␛\]0;owned␇␛\[2J/)
    assert.notInclude(terminal.picture.written(), "\u001b]0;")

    await server.turn(id, "ask execute")
    await terminal.shows(/ 1 ask \(a\)/)
    terminal.keys("a")
    await terminal.shows(/Choose one with/)
    terminal.keys("o")
    await terminal.shows(/Choose one first/)
    terminal.keys("j")
    await terminal.shows(/turn 2/)
    terminal.keys("d")
    await terminal.shows(/Nothing waits for an answer/)
    terminal.keys("\u001b")
    await terminal.shows(/○ awake/)
    // A supervisor ends a program with SIGTERM; a closed window sends SIGHUP.
    terminal.signal(constants.signals.SIGTERM)
    assert.deepStrictEqual(await terminal.ended, { code: 128 + constants.signals.SIGTERM, restored: true })
    isGivenBack(terminal)
  })

  it("says that the connection is lost, and shows the table of the server that comes back", async () => {
    const server = await serve()
    const id = await server.create()
    const terminal = watch(server.env)
    await terminal.shows(/● live/)
    server.program.child.kill("SIGTERM")
    await server.program.ended
    await terminal.shows(/connection lost, tries again in 0:\d\d/)
    const again = await serve(new URL(server.url).port)
    await terminal.shows(/● live/)
    await again.turn(id, "hello", true)
    await terminal.shows(/○ awake +hello[^]*You said: hello/)
    terminal.signal(constants.signals.SIGHUP)
    assert.deepInclude(await terminal.ended, { code: 128 + constants.signals.SIGHUP })
    isGivenBack(terminal)
  })

  it("prints no colours with NO_COLOR", async () => {
    const server = await serve()
    await server.create()
    const terminal = watch({ ...server.env, NO_COLOR: "1" })
    await terminal.shows(/● live[^]*asleep/)
    terminal.keys("q")
    await terminal.ended
    // oxlint-disable-next-line no-control-regex -- those are what is looked for
    assert.notMatch(terminal.picture.written(), /\u001b\[[1-9]\d*m/)
  })
})

describe("troupe top without a terminal", () => {
  it("prints the table once, as text and as rows, and filters both", async () => {
    const server = await serve()
    const id = await server.create()
    await server.create()
    await server.turn(id, "hello", true)
    const plain = await workspace.run(["top"], server.env)
    assert.strictEqual(plain.code, 0, plain.stderr)
    assert.match(plain.stdout, /^2 idle, 0 turning, 0 retiring, 0 closed\nSESSION +STATE/)
    assert.match(plain.stdout, new RegExp(`${id} +idle\\.awake +demo .* a turn \\(the app\\)\n`))

    const json = await workspace.run(["top", "--json", "--filter", id], server.env)
    const { count, sessions } = JSON.parse(json.stdout) as { count: number; sessions: ReadonlyArray<object> }
    assert.deepStrictEqual([json.code, count, sessions.length], [0, 1, 1])
    assert.deepInclude(sessions[0], { session_id: id, substate: "idle.awake", turns: 1 })
  })

  it("says in one line what is missing: a server that runs, one that answers, a valid token", async () => {
    const server = await serve()
    const attempts = await Promise.all([
      workspace.run(["top", "--data-dir", "other"]),
      workspace.run(["top", "--url", "http://127.0.0.1:1", "--token", "x"]),
      workspace.run(["top", "--url", "nowhere", "--token", "x"]),
      workspace.run(["top", "--url", server.url, "--token", "trp_unknown"])
    ])
    const says = [
      /No Troupe runs on the data dir/,
      /No Troupe answers at http:\/\/127\.0\.0\.1:1\./,
      /--url is "nowhere"/,
      /oken/
    ]
    for (const [n, { code, stderr, stdout }] of attempts.entries()) {
      assert.deepStrictEqual([stdout, code], ["", [1, 1, 2, 1][n]], stderr)
      assert.match(stderr, says[n]!)
      assert.match(stderr, /^troupe: .*\n$/)
    }
  })
})
