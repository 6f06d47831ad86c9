/** What can't be stored and read back is refused where it comes in, and a bad row takes no list away. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { adminToken, open, scratch } from "./harness.ts"

const nested = (levels: number): string => "[".repeat(levels) + "]".repeat(levels)

it.live("a meta that nests too deep or is too long is refused with its bound, and one at the bound is listed", () =>
  Effect.gen(function* () {
    const { call, mint } = yield* open()
    const token = yield* mint("desk")
    const create = (meta: string) => call("/sessions", { token, body: `{"agent":"demo","meta":${meta}}` })
    for (const levels of [100, 1_000, 4_453, 6_000, 100_000]) {
      const refused = yield* create(`{"a":${nested(levels)}}`)
      assert.deepStrictEqual([refused.status, refused.json.error], [400, "invalid_request"], String(levels))
      assert.strictEqual(refused.json.detail, "meta nests deeper than 100 levels.")
    }
    const long = yield* create(JSON.stringify({ a: "x".repeat(65_536) }))
    assert.deepStrictEqual([long.status, long.json.error], [400, "invalid_request"])
    assert.match(long.json.detail, /^meta has more than 65536 characters as JSON/)
    assert.strictEqual((yield* create(`{"a":${nested(99)}}`)).status, 200)
    const { json } = yield* call("/sessions", { token })
    assert.strictEqual(JSON.stringify(json.sessions[0].meta), `{"a":${nested(99)}}`)
    assert.strictEqual((yield* call("/admin/sessions", { token: adminToken })).json.count, 1)
  }).pipe(Effect.scoped)
)

it.live("half of a surrogate pair and NUL are refused with the name of their field", () =>
  Effect.gen(function* () {
    const { call, create, mint } = yield* open()
    const token = yield* mint("desk")
    const id = yield* create(token)
    const cases = [
      [`/sessions/${id}/turn`, '{"prompt":"x\\ud800"}', "prompt must be Unicode: it has half of a surrogate pair."],
      [`/sessions/${id}/turn`, '{"prompt":"a\\u0000b"}', "prompt may not contain the character NUL (U+0000)."],
      [`/sessions/${id}/steer`, '{"text":"x\\udc00"}', "text must be Unicode: it has half of a surrogate pair."],
      ["/sessions", '{"system_prompt":"\\ud83d!"}', "system_prompt must be Unicode: it has half of a surrogate pair."],
      ["/sessions", '{"cwd":"/srv\\u0000x"}', "cwd may not contain the character NUL (U+0000)."],
      ["/sessions", '{"model":"a\\u0000"}', "model may not contain the character NUL (U+0000)."],
      [
        "/sessions",
        '{"meta":{"a":[1,{"b":"\\ud800"}]}}',
        "meta.a[1].b must be Unicode: it has half of a surrogate pair."
      ],
      ["/sessions", '{"meta":{"\\ud800":1}}', "meta has a key that must be Unicode: it has half of a surrogate pair."],
      ["/run", '{"prompt":"a\\u0000b"}', "prompt may not contain the character NUL (U+0000)."]
    ] as const
    for (const [path, body, detail] of cases) {
      const refused = yield* call(path, { token, body })
      assert.deepStrictEqual([refused.status, refused.json.detail], [400, detail], body)
      // Nobody learns of a body's faults without a token.
      assert.strictEqual((yield* call(path, { body })).status, 401)
    }
    assert.strictEqual(
      (yield* call(`/sessions/${id}/turn`, { token, body: '{"prompt":"\\ud83d\\ude42"}' })).status,
      200
    )
  }).pipe(Effect.scoped)
)

it.live(
  "an agent's update that nests too deep is stored without the member, which is named, and its turn completes",
  () =>
    Effect.gen(function* () {
      const command = [process.execPath, join(import.meta.dirname, "../fixtures/agents/deep-agent.mjs")] as const
      const { call, create, mint } = yield* open({ agents: { deep: { protocol: "acp", command } } })
      const token = yield* mint("desk")
      const id = yield* create(token, { agent: "deep", permissions: "ask" })
      assert.strictEqual(
        (yield* call(`/sessions/${id}/turn`, { token, body: { prompt: "go", wait: false } })).status,
        202
      )
      const pending = Effect.gen(function* () {
        while (true) {
          const { json } = yield* call(`/sessions/${id}/approvals`, { token })
          if (json.approvals.length > 0) return json.approvals[0]
        }
      })
      const { approval_id: approval, title } = yield* pending
      assert.strictEqual(title, "Deep")
      yield* call(`/sessions/${id}/approvals/${approval}`, { token, body: { decision: "once" } })
      while ((yield* call(`/sessions/${id}/turns/1`, { token })).json.status === "running") yield* Effect.yieldNow
      const { json } = yield* call(`/sessions/${id}/turns/1`, { token })
      assert.deepStrictEqual([json.status, json.final_text], ["completed", "done"])
      const leftOut = json.events.flatMap(
        // oxlint-disable-next-line typescript/no-explicit-any -- an event of any shape
        ({ params }: any) => Object.entries(params?.update?._meta?.["troupe/left_out"] ?? {})
      )
      const note = "nests deeper than 100 levels"
      assert.deepStrictEqual(leftOut, [
        ["rawInput", note],
        ["rawOutput", note]
      ])
      assert.strictEqual((yield* call("/admin/sessions", { token: adminToken })).status, 200)
    }).pipe(Effect.scoped)
)

it.live("a row of the ledger that can't be read is listed with what can be shown", () =>
  Effect.gen(function* () {
    const dataDir = yield* scratch
    const { ids, token } = yield* Effect.gen(function* () {
      const { call, create, mint } = yield* open({ dataDir })
      const token = yield* mint("desk")
      const ids = [yield* create(token), yield* create(token), yield* create(token), yield* create(token)] as const
      assert.strictEqual((yield* call("/sessions", { token })).json.count, 4)
      return { ids, token }
    }).pipe(Effect.scoped)
    const ledger = new DatabaseSync(join(dataDir, "troupe.sqlite"))
    const setMeta = ledger.prepare("UPDATE session_requests SET meta = ? WHERE session = ?")
    setMeta.run(`{"a":${nested(4_453)}}`, ids[0])
    setMeta.run('{"a":', ids[1])
    ledger.prepare("UPDATE sessions SET usage = '{', snapshot = '' WHERE id = ?").run(ids[2])
    ledger.close()

    const { call } = yield* open({ dataDir })
    for (const [path, as] of [
      ["/sessions", token],
      ["/admin/sessions", adminToken],
      ["/inspect/api/sessions", adminToken]
    ] as const) {
      const { json, status } = yield* call(path, { token: as })
      assert.deepStrictEqual([status, json.sessions.length], [200, 4], path)
    }
    const { json } = yield* call("/sessions", { token })
    // oxlint-disable-next-line typescript/no-explicit-any -- a body of any shape
    const metas = Object.fromEntries(json.sessions.map(({ meta, session_id }: any) => [session_id, meta]))
    assert.deepStrictEqual(
      ids.map((id) => metas[id]),
      [
        { "troupe/unreadable": "nests deeper than 1000 levels" },
        { "troupe/unreadable": "is not JSON in the ledger" },
        {},
        {}
      ]
    )
  }).pipe(Effect.scoped)
)

it.live("a session whose stored state is damaged says so, can still be read, and costs no other session anything", () =>
  Effect.gen(function* () {
    const dataDir = yield* scratch
    const { call, create, log, mint } = yield* open({ dataDir })
    const token = yield* mint("desk")
    const id = yield* create(token)
    const other = yield* create(token)
    const database = new DatabaseSync(join(dataDir, "troupe.sqlite"))
    for (const damaged of ['{"value":{"idle":"as', '{"value":{"idle":"asleep"},"context":{"turn":"one"}}', "7"]) {
      database.prepare("UPDATE sessions SET snapshot = ? WHERE id = ?").run(damaged, id)
      const refused = yield* call(`/sessions/${id}/turn`, { token, body: { prompt: "hello" } })
      assert.deepStrictEqual([refused.status, refused.json.error], [503, "session_damaged"], damaged)
      assert.match(refused.json.detail, /its turns and messages can be read/i)
      for (const path of [`/sessions/${id}`, `/sessions/${id}/turns`, "/sessions", "/inspect/api/sessions"])
        assert.strictEqual((yield* call(path, { token })).status, 200, path)
      const detail = yield* call(`/inspect/api/sessions/${id}`, { token })
      assert.deepStrictEqual([detail.status, detail.json.error], [503, "session_damaged"], damaged)
    }
    database.close()
    const turn = yield* call(`/sessions/${other}/turn`, { token, body: { prompt: "hello" } })
    assert.strictEqual(turn.json.stop_reason, "end_turn")
    // Once for each request, and no death after death.
    const lines = log.filter((line) => line.includes(`session ${id} can't go on: its stored snapshot is damaged`))
    assert.lengthOf(lines, 3)
  }).pipe(Effect.scoped)
)
