/** Bodies of sessions, one-shots and files: exactly the keys of the contract. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { appToken } from "./callers.ts"
import { open } from "./harness.ts"

it.live("a session's bodies are exactly the contract's", () =>
  Effect.gen(function* () {
    const { call } = yield* open()
    const meta = { ticket: "T-1", nested: { camelCase: [1, null] } }
    assert.deepStrictEqual((yield* call("/sessions/ses_1")).json, {
      ok: true,
      session_id: "ses_1",
      agent: "demo",
      title: "Say hello",
      state: "idle",
      turn_count: 3,
      created_at: 1_700_000_000.123,
      last_turn_at: 1_700_000_001,
      closed_at: null,
      cwd: "/srv/work",
      model: null,
      mode: null,
      effort: null,
      permissions: "deny",
      choices: null,
      mcp_servers: [],
      additional_directories: [],
      env: [],
      questions: "decline",
      thread_id: "thread-1",
      meta,
      process: { state: "up", pid: 4242, restarts: 1, configured: { mode: "default" } },
      parked: null,
      usage: { input_tokens: 7, cached_input_tokens: 0, output_tokens: 0, reasoning_tokens: 0, total_tokens: 7 },
      cost: { amount: 0.25, currency: "USD" }
    })
    const created = yield* call("/sessions", { body: { meta } })
    assert.deepStrictEqual(created.json, {
      ok: true,
      session_id: "ses_0123456789abcdef",
      agent: "demo",
      state: "idle",
      created_at: 1_700_000_000.123,
      meta
    })
    const page = yield* call("/sessions?limit=1&state=open")
    assert.containSubset(page.json, { ok: true, count: 12, next_cursor: "next" })
    assert.isNull((yield* call("/sessions")).json.next_cursor)
    assert.deepStrictEqual((yield* call("/sessions/ses_1", { method: "DELETE" })).json, { ok: true })
    assert.deepStrictEqual((yield* call("/sessions/ses_closed", { method: "DELETE" })).json, {
      ok: true,
      already_closed: true
    })
    assert.deepStrictEqual((yield* call("/sessions/ses_ok/interrupt", { method: "POST" })).json, {
      ok: true,
      interrupted: true
    })
    assert.isFalse((yield* call("/sessions/ses_1/interrupt", { method: "POST" })).json.interrupted)
  }).pipe(Effect.scoped)
)

it.live("a one-shot's body has exactly the contract's keys", () =>
  Effect.gen(function* () {
    const { call } = yield* open()
    const run = (prompt: string) => call("/run", { body: { prompt } })
    const done = yield* run("json")
    assert.strictEqual(done.status, 200)
    assert.deepStrictEqual(done.json, {
      ok: true,
      result: { answer: [42, null] },
      duration_ms: 12,
      stop_reason: "end_turn"
    })
    assert.strictEqual((yield* run("hello")).json.result, "echo: hello")
    const failed = yield* run("fail")
    assert.strictEqual(failed.status, 502)
    assert.deepStrictEqual(failed.json, {
      ok: false,
      error: "It said no.",
      stderr: "no",
      duration_ms: 3,
      stop_reason: "error"
    })
    const late = yield* run("late")
    assert.strictEqual(late.status, 502)
    assert.strictEqual(late.json.stop_reason, "timeout")
  }).pipe(Effect.scoped)
)

it.live("POST /files stores one file as it streams in, and refuses what is no file or too large", () =>
  Effect.gen(function* () {
    const { base, call, script } = yield* open()
    const form = (...files: ReadonlyArray<readonly [string, string, number]>) => {
      const data = new FormData()
      for (const [part, name, bytes] of files) data.append(part, new Blob(["x".repeat(bytes)]), name)
      return data
    }
    const stored = yield* call("/files", { body: form(["file", "notes.txt", 200_000]) })
    assert.strictEqual(stored.status, 200, stored.text)
    assert.deepStrictEqual(stored.json, { ok: true, file_id: "file_the-app", name: "notes.txt", size: 200_000 })
    assert.deepStrictEqual(script.stored, [{ name: "notes.txt", bytes: 200_000 }])

    const without = yield* call("/files", { body: form() })
    assert.strictEqual(without.status, 400)
    assert.match(without.json.detail, /^file is missing/)
    const two = yield* call("/files", { body: form(["a", "a", 1], ["b", "b", 1]) })
    assert.strictEqual(two.status, 400)
    assert.match(two.json.detail, /^file must be one file/)
    const noted = form(["file", "a", 1])
    noted.append("note", "a field that nobody reads")
    const unknown = yield* call("/files", { body: noted })
    assert.deepStrictEqual([unknown.status, unknown.json.detail], [400, "note is not a known field (known: file)."])
    const cut = yield* call("/files", {
      body: "--x\r\nnope",
      headers: { "content-type": "multipart/form-data; boundary=y" }
    })
    assert.strictEqual(cut.status, 400, cut.text)
    // Without the empty line that ends a part's headers: the parser of effect 4.1 dies of it.
    const bodiless = yield* call("/files", {
      body: '--y\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n--y\r\n--y--\r\n',
      headers: { "content-type": "multipart/form-data; boundary=y" }
    })
    assert.deepStrictEqual([bodiless.status, bodiless.json.error], [400, "invalid_request"], bodiless.text)
    const unbounded = yield* call("/files", { body: "x", headers: { "content-type": "multipart/form-data" } })
    assert.strictEqual(unbounded.status, 400, unbounded.text)

    const announced = yield* Effect.promise(() =>
      fetch(`${base}/files`, {
        method: "POST",
        headers: { authorization: `Bearer ${appToken}` },
        body: form(["file", "large", 33 * 1024 * 1024])
      }).then(
        (response) => response.json() as Promise<{ readonly error: string }>,
        // The server may close the connection before the client has sent everything.
        () => ({ error: "file_too_large" })
      )
    )
    assert.strictEqual(announced.error, "file_too_large")
    assert.lengthOf(script.stored, 3)
  }).pipe(Effect.scoped)
)
