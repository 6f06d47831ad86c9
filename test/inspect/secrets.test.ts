/**
 * A secret of an agent's environment, which the agent puts into its errors, its stderr and its lines, is nowhere to be
 * seen: not in an answer, a stream, the dashboard, an export, a log line, nor in any byte of the data dir.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import type { AgentSpec } from "../../src/domain/Settings.ts"
import { fixture } from "../agent/child.ts"
import { adminToken, open, scratch } from "./harness.ts"

/** Set in `env`, and recognized by the name; set in `env` under a name that says nothing; and inherited by name. */
const token = "7f3c9a-the-token-of-this-agent"
const opaque = 'a"quoted" value of this agent'
const inherited = "inherited-0f9b6c-of-this-agent"
const inJson = (text: string) => JSON.stringify(text).slice(1, -1)
const secrets = [token, opaque, inJson(opaque), inJson(inJson(opaque)), inherited]

const words = "key $MY_TOKEN, $OPAQUE, $OWN_NAME"
const error = (code: number) =>
  `{"jsonrpc":"2.0","id":$ID,"error":{"code":${code},"message":"refused ${words}","data":{"details":"${words}"}}}\n`

const scripted = (script: Readonly<Record<string, ReadonlyArray<string>>>): AgentSpec => ({
  protocol: "acp",
  command: [process.execPath, fixture("scripted"), JSON.stringify(script)],
  env: { MY_TOKEN: token, OPAQUE: opaque },
  inheritEnv: ["OWN_NAME"]
})

const initialize = JSON.stringify({ protocolVersion: 1 })
const notice = `{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"s-1","update":{"sessionUpdate":"notice","severity":"warning","title":"${words}"}}}\n`
const typed = `{"jsonrpc":"2.0","id":$ID,"result":{"stopReason":"end_turn","_meta":{"jetbrains":{"air":{"sessionFailure":{"severity":"error","category":"access","title":"${"x".repeat(285)} ${words}"}}}}}}\n`

const out = (msg: object) => ({ dir: "out", msg })
const into = (msg: object) => ({ dir: "in", msg })
const codexScript = [
  into({ id: 1, method: "initialize" }),
  out({ id: 1, result: { userAgent: "troupe/9.9.9 (x)" } }),
  into({ method: "initialized" }),
  into({ id: 2, method: "thread/start" }),
  out({ id: 2, error: { code: -32600, message: `no model for ${token} and ${inherited}`, data: { token } } })
]

const agents: Readonly<Record<string, AgentSpec>> = {
  "refuses-prompts": scripted({
    "session/prompt": [notice, `2>log: ${words}\n`, `not json: ${words}\n`, error(-32603)]
  }),
  "fails-typed": scripted({ "session/prompt": [typed] }),
  "refuses-sessions": scripted({ "session/new": [error(-32000)] }),
  "writes-and-dies": scripted({
    initialize: [`{"jsonrpc":"2.0","id":$ID,"result":${initialize}}\n`],
    "session/prompt": [`2>panic: ${words}\n`, "exit 3"]
  }),
  "never-begins": scripted({ initialize: [`2>panic: ${words}\n`, `${words}\n`, "exit 3"] }),
  "behind-acpx": {
    protocol: "acpx",
    registry: "claude",
    command: [
      "sh",
      "-c",
      `echo "$OPAQUE" >&2; echo "{\\"error\\":{\\"message\\":\\"refused $MY_TOKEN $OWN_NAME\\"}}"; exit 1`
    ],
    env: { MY_TOKEN: token, OPAQUE: opaque },
    inheritEnv: ["OWN_NAME"]
  },
  codex: {
    protocol: "codex-app-server",
    command: [process.execPath, fixture("codex")],
    env: { MY_TOKEN: token, SCRIPT: JSON.stringify(codexScript) },
    inheritEnv: ["OWN_NAME"]
  }
}

const filesBelow = (directory: string): ReadonlyArray<string> =>
  readdirSync(directory).flatMap((name) => {
    const path = join(directory, name)
    return statSync(path).isDirectory() ? filesBelow(path) : [path]
  })

const assertClean = (what: string, text: string) => {
  for (const secret of secrets) assert.isFalse(text.includes(secret), `${what} has a secret: ${text.slice(0, 2_000)}`)
  // Nor a beginning of one, where a text was cut.
  for (const secret of secrets) assert.isFalse(text.includes(secret.slice(0, 12)), `${what} has a part: ${text}`)
}

describe("a secret in an agent's environment", () => {
  it.live.each(Object.keys(agents))("%s: its errors, stderr and lines show none of its secrets", (agent) =>
    Effect.gen(function* () {
      process.env["OWN_NAME"] = inherited
      const dataDir = yield* scratch
      const troupe = yield* open({ dataDir, agents, limits: { restartIntensity: 0 } })
      const app = yield* troupe.mint("ours")
      const id = yield* troupe.create(app, { agent, permissions: "approve_all" })
      const turn = yield* troupe.turn(app, id, "go")
      const stored = JSON.stringify(turn)
      // The reason is there; only the secrets are not.
      assert.include(stored, "[redacted]")
      assertClean("the turn", stored)

      const answer = (path: string, bearer: string) =>
        Effect.flatMap(troupe.ask(path, { token: bearer }), (response) => {
          assert.strictEqual(response.status, 200, path)
          return Effect.promise(() => response.text())
        })
      for (const path of [
        `/sessions/${id}`,
        `/sessions/${id}/turns`,
        `/sessions/${id}/turns/1`,
        `/sessions/${id}/messages`,
        `/inspect/api/sessions/${id}`,
        `/inspect/api/sessions/${id}/steps`,
        `/inspect/api/sessions/${id}/events`,
        `/inspect/api/sessions/${id}/processes`,
        `/inspect/api/sessions/${id}/export?format=json&texts=1`,
        `/inspect/api/sessions/${id}/export?format=html&texts=1`
      ])
        assertClean(path, yield* answer(path, app))
      assertClean("the audit", yield* answer(`/admin/sessions/${id}/audit`, adminToken))

      const { json } = yield* troupe.call(`/inspect/api/sessions/${id}/steps`, { token: app })
      const lines: Array<string> = []
      for (const { seq, wire } of json.steps) {
        if (wire) lines.push(yield* answer(`/inspect/api/sessions/${id}/steps/${seq}/wire`, app))
      }
      assert.isAbove(lines.length, 0)
      lines.forEach((line) => assertClean("a line", line))

      assertClean("the events", yield* streamed(yield* troupe.ask(`/sessions/${id}/events?after=0`, { token: app })))
      assertClean("the log", troupe.log.join("\n"))
      for (const file of filesBelow(dataDir)) assertClean(file, readFileSync(file, "utf8"))
    }).pipe(Effect.scoped)
  )

  it.live("a one-shot run shows none either", () =>
    Effect.gen(function* () {
      process.env["OWN_NAME"] = inherited
      const result = `stderr ${token}\nerror refused ${token} ${opaque} ${inherited}`
      const troupe = yield* open({
        run: {
          command: [process.execPath, fixture("claude")],
          env: { MY_TOKEN: token, OPAQUE: opaque, FAKE_CLAUDE: result },
          inheritEnv: ["OWN_NAME"]
        }
      })
      const app = yield* troupe.mint("ours")
      const { json } = yield* troupe.call("/run", { token: app, body: { prompt: "go" } })
      assert.include(JSON.stringify(json), "[redacted]")
      assertClean("the run", JSON.stringify(json))
      assertClean("the log", troupe.log.join("\n"))
    }).pipe(Effect.scoped)
  )
})

/** What a stream of events has sent by the time that the end of the turn has come. */
const streamed = (response: Response) =>
  Effect.promise(async () => {
    const reader = response.body?.getReader() ?? assert.fail("it has no body")
    const decoder = new TextDecoder()
    let text = ""
    while (!/"event":"(turn\.ended|process\.(failed|exited))"/.test(text)) {
      const { done, value } = await reader.read()
      if (done) break
      text += decoder.decode(value, { stream: true })
    }
    await reader.cancel()
    return text
  })
