/** The whole program on a ledger in PostgreSQL: its commands, a second one, and a SIGKILL in the middle of a turn. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { once } from "node:events"
import { makeWorkspace } from "../../cli/program.ts"
import { openServer, sessionOf, untilSpeaking } from "../../cli/server.ts"
import { latestVersion } from "../../../src/ledger/postgres/migrations.ts"
import { emptySchema, server as postgres } from "./schemas.ts"

const workspace = Effect.acquireRelease(Effect.sync(makeWorkspace), (made) => Effect.promise(() => made.cleanUp()))

describe.skipIf(postgres === null)("troupe on PostgreSQL", () => {
  it.live("migrates, serves, is alone, and settles after a SIGKILL what was running", () =>
    Effect.gen(function* () {
      const url = yield* emptySchema
      const env = { TROUPE_DATABASE_URL: url }
      const first = yield* workspace
      const second = yield* workspace
      const said: Array<string> = []
      yield* Effect.promise(async () => {
        const migrated = await first.run(["migrate", "--json"], env)
        assert.deepInclude(JSON.parse(migrated.stdout), { ok: true, version: latestVersion })
        said.push(migrated.stdout, migrated.stderr)

        const server = await openServer(first, env)
        const session = await sessionOf(server)
        const turn = (prompt: string) => server.call("POST", `/sessions/${session}/turn`, { prompt })
        assert.deepInclude(await turn("hello"), { ok: true, final_text: "You said: hello (turn 1)" })
        const app = await first.run(["app", "create", "desk", "--json"], env)
        assert.strictEqual(app.code, 0, app.stderr)
        const alone = await second.run(["serve", "--port", "0"], env)
        assert.notStrictEqual(alone.code, 0)
        assert.match(alone.stdout + alone.stderr, /is held by another Troupe/)
        said.push(alone.stdout, alone.stderr)

        turn("slow 100000 20").catch(() => {})
        await untilSpeaking(server, session, '"word')
        const exit = once(server.program.child, "exit")
        server.program.child.kill("SIGKILL")
        await exit
        said.push(server.program.stdout(), server.program.stderr())

        const again = await openServer(first, env)
        const lost = await again.call("GET", `/sessions/${session}/turns/2`)
        assert.deepInclude(lost, { ok: false, status: "failed" })
        assert.match(String(lost["error"]), /^outcome_unknown: /)
        const next = await again.call("POST", `/sessions/${session}/turn`, { prompt: "again" })
        assert.deepInclude(next, { ok: true, turn_index: 3 })
        said.push(again.program.stdout(), again.program.stderr())
      })
      assert.notInclude(said.join("\n"), new URL(url).password)
    }).pipe(Effect.scoped)
  )
})
