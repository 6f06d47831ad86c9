/** The data dir is removed, or moved away, below a server that runs: nothing is accepted that would be lost. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, renameSync, rmSync } from "node:fs"
import { open, scratch } from "../inspect/harness.ts"

it.live("a server whose data dir is moved away refuses work in clear words, and goes on when it is back", () =>
  Effect.gen(function* () {
    const dataDir = yield* scratch
    const troupe = yield* open({ dataDir, limits: { ledgerPatienceMillis: 100 } })
    const token = yield* troupe.mint("app")
    const id = yield* troupe.create(token)
    assert.strictEqual((yield* troupe.turn(token, id, "hello")).ok, true)

    renameSync(dataDir, `${dataDir}.away`)
    const { body, status } = yield* Effect.promise(async () => {
      // The first that is to be stored finds it out.
      const first = await fetch(`${troupe.base}/readyz`)
      return { status: first.status, body: await first.text() }
    })
    assert.strictEqual(status, 503)
    assert.match(body, /its file .*troupe\.sqlite is gone, moved or removed; put it back/)
    for (const [path, content] of [
      [`/sessions/${id}/turn`, { prompt: "hello" }],
      ["/sessions", { agent: "demo" }]
    ] as const) {
      const answer = yield* troupe.call(path, { token, body: content })
      assert.include([500, 503], answer.status, answer.text)
      assert.match(answer.json.detail, /^[A-Z].*[a-z]{3}.*\.$/, answer.text)
    }
    // What is stored can be read, and no file was made where it was.
    assert.strictEqual((yield* troupe.call(`/sessions/${id}/turns/1`, { token })).json.ok, true)
    assert.isFalse(existsSync(`${dataDir}/troupe.sqlite`))

    rmSync(dataDir, { recursive: true, force: true })
    renameSync(`${dataDir}.away`, dataDir)
    yield* Effect.promise(async () => {
      while ((await fetch(`${troupe.base}/readyz`)).status !== 200) await new Promise((done) => setTimeout(done, 50))
    }).pipe(Effect.timeout("20 seconds"))
    assert.strictEqual((yield* troupe.turn(token, id, "hello")).ok, true)
    assert.strictEqual((yield* troupe.call(`/sessions/${id}`, { token })).json.turn_count, 2)
  }).pipe(Effect.scoped)
)
