/** What sessions and turns can bring, on the wire, with real processes of the demo agent. */
import { assert, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { readFileSync } from "node:fs"
import { tmpdir } from "node:os"
import type { StreamedMessage } from "../../src/domain/events/StreamedMessage.ts"
import { notStrict } from "../domain/strictly.ts"
import { openHttp } from "./http.ts"

const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
const secret = "s3cr3t-of-the-session"

/** What the tests read of the bodies. */
interface Body {
  readonly session_id: string
  readonly final_text: string
  readonly choices: object
  readonly count: number
  readonly error: string
  readonly detail: string
}

interface Asked {
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

const opened = Effect.gen(function* () {
  const { apps, baseUrl, tokens } = yield* openHttp()
  const callAs =
    (token: string) =>
    (path: string, { body, headers = {} }: Asked = {}) =>
      Effect.promise(async () => {
        const response = await fetch(`${baseUrl}${path}`, {
          headers: { authorization: `Bearer ${token}`, "content-type": "application/json", ...headers },
          ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) })
        })
        return { status: response.status, json: (await response.json()) as Body }
      })
  const headers = { authorization: `Bearer ${tokens.ours}` }
  /** The whole stream of a session, which is closed for it. */
  const streamOf = (id: string) =>
    Effect.promise(async () => {
      await fetch(`${baseUrl}/sessions/${id}`, { method: "DELETE", headers })
      return (await fetch(`${baseUrl}/sessions/${id}/events`, { headers })).text()
    })
  return { apps, callAs, call: callAs(tokens.ours), streamOf, tokens }
})

it.live("a session shows what it brings without its secrets, and an unknown key of it is refused by its path", () =>
  Effect.gen(function* () {
    const { call } = yield* opened
    const own = { name: "own", command: "serve", env: { TOKEN: secret } }
    const created = yield* call("/sessions", {
      body: {
        permissions: "approve_all",
        effort: "high",
        mcp_servers: [
          own,
          { name: "far", type: "http", url: "http://127.0.0.1:9/", headers: { authorization: secret } }
        ],
        additional_directories: [tmpdir()]
      }
    })
    assert.strictEqual(created.status, 200, JSON.stringify(created.json))
    const id = created.json.session_id
    const turn = yield* call(`/sessions/${id}/turn`, {
      body: { prompt: [{ type: "text", text: "session" }], model: "demo-large" }
    })
    assert.include(turn.json.final_text, "Model demo-large, effort high")
    const { json } = yield* call(`/sessions/${id}`)
    assert.deepInclude(json as object, {
      effort: "high",
      model: null,
      questions: "decline",
      additional_directories: [tmpdir()],
      mcp_servers: [
        { name: "own", command: "serve", env: { TOKEN: "[redacted]" } },
        { name: "far", type: "http", url: "http://127.0.0.1:9/", headers: { authorization: "[redacted]" } }
      ]
    })
    assert.deepStrictEqual(Object.keys(json.choices), ["models", "modes", "efforts"])
    for (const path of ["", "/turns", "/messages"]) {
      assert.notInclude(JSON.stringify((yield* call(`/sessions/${id}${path}`)).json), secret)
    }
    const misspelt = yield* call("/sessions", { body: { mcp_servers: [{ ...own, arguments: [] }] } })
    assert.deepStrictEqual([misspelt.status, misspelt.json.error], [400, "invalid_request"])
    assert.match(misspelt.json.detail, /^mcp_servers\[0\]/)
  }).pipe(Effect.scoped)
)

it.live("a fork with the same Idempotency-Key is one session, and another app can't fork it", () =>
  Effect.gen(function* () {
    const { call, callAs, tokens } = yield* opened
    const id = (yield* call("/sessions", { body: { permissions: "approve_all" } })).json.session_id
    yield* call(`/sessions/${id}/turn`, { body: { prompt: "the bird is a heron" } })
    const once = { body: {}, headers: { "idempotency-key": "fork-1" } }
    const [first, second] = [yield* call(`/sessions/${id}/fork`, once), yield* call(`/sessions/${id}/fork`, once)]
    assert.deepStrictEqual([first.status, second.json], [200, first.json])
    const recall = { body: { prompt: "recall" } }
    const recalled = yield* call(`/sessions/${first.json.session_id}/turn`, recall)
    assert.include(recalled.json.final_text, "heron")
    assert.strictEqual((yield* call("/sessions")).json.count, 2)
    assert.strictEqual((yield* callAs(tokens.theirs)(`/sessions/${id}/fork`, once)).status, 404)
  }).pipe(Effect.scoped)
)

it.live(
  "an app with bounds names the operator's MCP servers only, and lists no conversations outside its directories",
  () =>
    Effect.gen(function* () {
      const { apps, callAs } = yield* opened
      const { token } = yield* Effect.orDie(
        apps.mint("bounded", { bounds: { maxPermissions: "ask", cwdRoots: ["/srv"] } })
      )
      const bounded = callAs(Redacted.value(token))
      const own = yield* bounded("/sessions", { body: { mcp_servers: [{ name: "own", command: "serve" }] } })
      assert.deepStrictEqual([own.status, own.json.error], [403, "not_allowed"])
      assert.match(own.json.detail, /^mcp_servers\[0\] has a server of the app's own/)
      const everywhere = yield* bounded("/agents/demo/threads")
      assert.deepStrictEqual([everywhere.status, everywhere.json.error], [403, "not_allowed"])
      const elsewhere = yield* bounded("/agents/demo/threads?cwd=/etc")
      assert.strictEqual(elsewhere.status, 403)
      const directories = yield* bounded("/sessions", { body: { additional_directories: ["/etc"] } })
      assert.deepStrictEqual([directories.status, directories.json.error], [403, "not_allowed"])
      assert.strictEqual((yield* bounded("/agents/nobody/threads?cwd=/srv")).status, 404)
      assert.strictEqual((yield* bounded("/agents/acpx:claude/threads?cwd=/srv")).status, 422)
    }).pipe(Effect.scoped)
)

it.live("a turn's messages are given to an agent that has none, say so in the stream, and are refused later", () =>
  Effect.gen(function* () {
    const { call, streamOf } = yield* opened
    const { json } = yield* call("/sessions", { body: { permissions: "approve_all" } })
    const path = `/sessions/${json.session_id}/turn`
    // What an app keeps with its messages is none of Troupe's business.
    const messages = [
      { role: "user", content: "Which bird is it?", name: "ada" },
      { role: "assistant", content: "A heron.", refusal: null }
    ]
    const none = yield* call(path, { body: { prompt: "hello", messages: [{ role: "robot", content: "hi" }] } })
    assert.strictEqual(none.status, 400)
    assert.match(none.json.detail, /messages\[0\]\.role|messages\.0\.role/)
    const nobody = yield* call(path, { body: { prompt: "hello", messages: [{ role: "tool", content: "hi" }] } })
    assert.match(nobody.json.detail, /messages\[0\]\.tool_call_id/)
    const turn = yield* call(path, { body: { prompt: "recall", messages } })
    assert.strictEqual(turn.status, 200, JSON.stringify(turn.json))
    const next = yield* call(path, { body: { prompt: "recall" } })
    assert.include(next.json.final_text, "Assistant: A heron.")
    const again = yield* call(path, { body: { prompt: "recall", messages } })
    assert.deepStrictEqual([again.status, again.json.error], [422, "not_supported"])
    assert.match(again.json.detail, /Leave messages out/)
    // None are none, whatever the agent knows.
    assert.strictEqual((yield* call(path, { body: { prompt: "recall", messages: [] } })).status, 200)
    assert.include(yield* streamOf(json.session_id), '"method":"_troupe/context_given"')
  }).pipe(Effect.scoped)
)

it.live("the stream has the blocks of a prompt, and its images as the files that they are", () =>
  Effect.gen(function* () {
    const { call, streamOf } = yield* opened
    const { json } = yield* call("/sessions", { body: { permissions: "approve_all" } })
    const blocks = [
      { type: "text", text: "Look at this" },
      { type: "image", mimeType: "image/png", data: png },
      { type: "resource_link", name: "notes", uri: "file:///srv/notes.md" },
      { type: "resource", resource: { uri: "file:///srv/new.ts", text: "let unsaved = 1" } }
    ]
    const path = `/sessions/${json.session_id}/turn`
    assert.strictEqual((yield* call(path, { body: { prompt: blocks } })).status, 200)
    assert.strictEqual((yield* call(path, { body: { prompt: "only words" } })).status, 200)
    const messages = [...(yield* streamOf(json.session_id)).matchAll(/^data: (.*)$/gm)].map(
      ([, data]) => JSON.parse(data ?? "") as StreamedMessage
    )
    for (const message of messages) assert.isNull(notStrict(message))
    const [first, second] = messages.flatMap((message) =>
      message.method === "_troupe/turn" && message.params.phase === "submitted" ? [message.params.content] : []
    )
    assert.isNull(second)
    const image = first?.find((block) => block.type === "image")
    assert.deepStrictEqual(
      first?.map((block) => (block === image ? "the image" : block)),
      blocks.map((block) => (block.type === "image" ? "the image" : block)) as ReadonlyArray<unknown>
    )
    assert.strictEqual(readFileSync(new URL(image?.uri ?? ""), "base64"), png)
  }).pipe(Effect.scoped)
)
