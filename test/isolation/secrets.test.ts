/**
 * A secret in each place where one can be put, and where it may be found afterwards: a table says for each secret where it
 * belongs, and it is looked for everywhere. `test/inspect/secrets.test.ts` does the same for each protocol's errors.
 */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { fixture } from "../agent/child.ts"
import { adminToken, open, scratch } from "../inspect/harness.ts"
import type { RunningTroupe } from "../inspect/harness.ts"

const secretOf = (what: string) => `${what}-${crypto.randomUUID()}`

const secrets = {
  /** Of Troupe's own environment; no agent is given it. */
  troupesOwn: secretOf("operators-variable"),
  /** Of the agent's configured environment. */
  agents: secretOf("agents-variable"),
  /** Which the session brings. */
  variable: secretOf("sessions-variable"),
  serverVariable: secretOf("mcp-variable"),
  serverHeader: secretOf("mcp-header"),
  prompt: secretOf("prompt"),
  header: secretOf("request-header"),
  cookie: secretOf("request-cookie"),
  wrongToken: `trp_${secretOf("wrong-token")}`,
  wrongBody: secretOf("refused-body")
} as const
type Secret = keyof typeof secrets

/** Where a secret was looked for, and which ones belong there. Tokens belong nowhere. */
const belong: Readonly<Record<string, ReadonlyArray<Secret>>> = {
  // The conversation; and what a session's next process needs, because a session outlives its process (decision 0019).
  "data dir": ["prompt", "variable", "serverVariable", "serverHeader"],
  "the owner's conversation": ["prompt"],
  "the operator's list": ["prompt"],
  "the agent's environment": ["agents", "variable"]
}

const filesBelow = (directory: string): ReadonlyArray<string> =>
  readdirSync(directory).flatMap((name) => {
    const path = join(directory, name)
    return statSync(path).isDirectory() ? filesBelow(path) : [path]
  })

/** Pids of all processes below this one. */
const descendants = (of: number): ReadonlyArray<number> => {
  const children = readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "latin1")
      return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) === of ? [Number(name)] : []
    } catch {
      return []
    }
  })
  return children.flatMap((pid) => [pid, ...descendants(pid)])
}

const words = "key $AGENT_TOKEN, $SESSION_SECRET, $NEW_SESSION"
const script = {
  initialize: [
    '{"jsonrpc":"2.0","id":$ID,"result":{"protocolVersion":1,"agentCapabilities":{"mcpCapabilities":{"http":true}}}}\n'
  ],
  "session/prompt": [
    `2>log: ${words}\n`,
    `not json: ${words}\n`,
    `{"jsonrpc":"2.0","id":$ID,"error":{"code":-32603,"message":"refused ${words}","data":{"details":"${words}"}}}\n`
  ]
}

const opened = Effect.gen(function* () {
  process.env["AWS_SECRET_ACCESS_KEY"] = secrets.troupesOwn
  yield* Effect.addFinalizer(() => Effect.sync(() => delete process.env["AWS_SECRET_ACCESS_KEY"]))
  const dataDir = yield* scratch
  const troupe = yield* open({
    dataDir,
    agents: {
      echo: {
        protocol: "acp",
        command: [process.execPath, fixture("scripted"), JSON.stringify(script)],
        env: { AGENT_TOKEN: secrets.agents },
        sessionEnv: ["SESSION_SECRET"]
      }
    }
  })
  const ours = yield* troupe.mint("ours")
  const theirs = yield* troupe.mint("theirs")
  const headers = { "x-api-key": secrets.header, cookie: `session=${secrets.cookie}` }
  return { troupe, dataDir, ours, theirs, headers, tokens: [ours, theirs, adminToken] }
})

/** A session with all secrets, and a turn in which its agent writes down what it has of them; gives its id. */
const workedIn = Effect.fnUntraced(function* ({ call }: RunningTroupe, token: string, headers: Record<string, string>) {
  const created = yield* call("/sessions", {
    token,
    headers,
    body: {
      agent: "echo",
      permissions: "approve_all",
      env: { SESSION_SECRET: secrets.variable },
      mcp_servers: [
        { name: "local", command: "serve", env: { PLAIN_NAME: secrets.serverVariable } },
        { name: "remote", type: "http", url: "http://127.0.0.1:9/mcp", headers: { "X-Plain": secrets.serverHeader } }
      ]
    }
  })
  assert.strictEqual(created.status, 200, created.text)
  const id: string = created.json.session_id
  const turn = yield* call(`/sessions/${id}/turn`, { token, headers, body: { prompt: `use ${secrets.prompt}` } })
  assert.include(turn.text, "refused key [redacted], [redacted], ")
  return { id, turn }
})

it.live("a secret is found where it belongs and nowhere else, wherever it was put", () =>
  Effect.gen(function* () {
    const { dataDir, headers, ours, theirs, tokens, troupe } = yield* opened
    const { call } = troupe
    const looked: Array<string> = []
    const check = (place: string, what: string, text: string) => {
      for (const [name, secret] of Object.entries(secrets)) {
        if (belong[place]?.includes(name as Secret) === true) continue
        assert.isFalse(text.includes(secret), `${place}, ${what}, has the secret of ${name}`)
      }
      for (const token of tokens) assert.isFalse(text.includes(token), `${place}, ${what}, has a token`)
      looked.push(`${place}: ${what}`)
    }

    const { id, turn } = yield* workedIn(troupe, ours, headers)
    check("the owner's conversation", "POST turn", turn.text)

    const children = descendants(process.pid)
    assert.isAbove(children.length, 0)
    for (const pid of children) {
      check("the agent's environment", String(pid), readFileSync(`/proc/${pid}/environ`, "utf8"))
      check("arguments", String(pid), readFileSync(`/proc/${pid}/cmdline`, "utf8"))
    }

    // Requests that fail, each in its way, with all that a client may send by mistake.
    const refused: ReadonlyArray<readonly [string, Parameters<typeof call>[1]]> = [
      ["/sessions", { token: secrets.wrongToken, headers }],
      [`/sessions?token=${secrets.wrongBody}`, { token: ours, headers }],
      [`/${secrets.wrongBody.replaceAll("-", "/")}`, { token: ours, headers }],
      ["/sessions", { token: ours, headers, body: { agent: "echo", env: { OTHER: secrets.wrongBody } } }],
      ["/sessions", { token: ours, headers, body: `{"agent": "echo", "env": "${secrets.wrongBody}"` }],
      ["/sessions", { token: ours, headers, body: { agent: "echo", mcp_servers: [{ name: "a", command: 1 }] } }],
      ["/inspect/api/login", { headers, body: { token: secrets.wrongToken } }],
      ["/inspect/api/me", { headers: { ...headers, cookie: `troupe_inspect=${secrets.cookie}` } }]
    ]
    for (const [path, request] of refused) {
      const { status, text } = yield* call(path, request)
      assert.isAtLeast(status, 400)
      check("problems", path, text)
    }

    for (const token of [ours, adminToken]) {
      for (const path of [
        `/inspect/api/sessions/${id}/steps`,
        `/inspect/api/sessions/${id}/processes`,
        `/inspect/api/sessions/${id}/export?format=json`,
        `/inspect/api/sessions/${id}/export?format=html`
      ]) {
        const { status, text } = yield* call(path, { token })
        // The page of an HTML export may not be built where this runs.
        assert.include([200, ...(path.endsWith("html") ? [503] : [])], status, path)
        check("reads", path, text)
      }
      for (const path of [
        // A session is called as its first prompt begins.
        `/sessions/${id}`,
        "/sessions",
        `/sessions/${id}/turns`,
        `/sessions/${id}/turns/1`,
        `/sessions/${id}/messages`,
        `/inspect/api/sessions/${id}`,
        `/inspect/api/sessions/${id}/events`,
        `/inspect/api/sessions/${id}/export?format=json&texts=1`
      ]) {
        const { text } = yield* call(path, { token })
        assert.include(text, secrets.prompt, path)
        check("the owner's conversation", path, text)
      }
    }
    // Sessions are called there as their first prompts begin.
    check("the operator's list", "/admin/sessions", (yield* call("/admin/sessions", { token: adminToken })).text)
    for (const path of [`/admin/sessions/${id}/audit`, "/admin/apps", "/admin/usage", "/metrics"]) {
      const { status, text } = yield* call(path, { token: adminToken })
      assert.strictEqual(status, 200, path)
      check("the operator's reads", path, text)
    }
    for (const path of ["/sessions", "/usage", "/inspect/api/sessions", "/inspect/api/coverage"]) {
      check("another app's reads", path, (yield* call(path, { token: theirs })).text)
    }
    check("the log", `${troupe.log.length} lines`, troupe.log.join("\n"))

    const files = filesBelow(dataDir)
    assert.isTrue(files.some((file) => file.endsWith("-wal")))
    for (const file of files) check("data dir", file.slice(dataDir.length), readFileSync(file, "latin1"))
    assert.isAbove(looked.length, 45, looked.join("\n"))
  }).pipe(Effect.scoped)
)
