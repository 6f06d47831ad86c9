/** A search at the server: what it finds, where it goes on, and whom it answers. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Hits } from "../../src/inspect/sessionContract.ts"
import { open } from "./harness.ts"
import { api } from "./sessionApi.ts"

describe("a search in a session, at the server", () => {
  it.live("finds prompts, answers, tools and deaths, goes on where it stopped, and answers the owner only", () =>
    Effect.gen(function* () {
      const troupe = yield* open()
      const token = yield* troupe.mint("ours")
      const id = yield* troupe.create(token, { permissions: "approve_all" })
      yield* troupe.turn(token, id, "where is the needle?\ntool echo a-needle-it-is")
      yield* troupe.turn(token, id, "crash 3")
      const search = (query: string) => troupe.call(api(id, `/search?${query}`), { token })
      const found = (query: string) => Effect.map(search(query), ({ json }) => json as Hits)
      const all = yield* found("q=NEEDLE")
      assert.isNull(all.next)
      const places = all.hits.map(({ of, turn, what }) => `${of} ${turn} ${what}`)
      assert.includeMembers(places, ["events 1 prompt", "events 1 tool", "events 1 message"])
      const death = (yield* found("q=exits+as+it+was+asked")).hits.find(({ of }) => of === "steps")
      assert.strictEqual(death?.what, "stderr")

      // Behind the last event and step there is nothing.
      const rest = yield* found("q=needle&after=e100000.s100000")
      assert.deepStrictEqual([rest.hits, rest.next], [[], null])
      assert.deepStrictEqual((yield* found("q=+")).hits, [])
      assert.strictEqual((yield* search(`q=${"x".repeat(201)}`)).status, 400)
      assert.strictEqual((yield* search("q=x&after=7")).status, 400)
      const other = yield* troupe.mint("theirs")
      assert.strictEqual((yield* troupe.call(api(id, "/search?q=x"), { token: other })).status, 404)
    }).pipe(Effect.scoped)
  )

  it.live("of a long session is made in parts that together find all of it once", () =>
    Effect.gen(function* () {
      const troupe = yield* open()
      const token = yield* troupe.mint("ours")
      const id = yield* troupe.create(token, { permissions: "approve_all" })
      const tools = Array.from({ length: 120 }, (_, n) => `tool echo line-${n}.`)
      yield* troupe.turn(token, id, tools.join("\n"))
      const hits: Array<string> = []
      let after = ""
      for (let parts = 0; parts < 10; parts++) {
        const { json } = yield* troupe.call(api(id, `/search?q=line${after}`), { token })
        const part = json as Hits
        hits.push(...part.hits.map(({ seq, what }) => `${what} ${seq}`))
        if (part.next === null) break
        after = `&after=${part.next}`
      }
      assert.strictEqual(new Set(hits.filter((hit) => hit.startsWith("tool"))).size, tools.length)
      assert.notStrictEqual(after, "")
    }).pipe(Effect.scoped)
  )
})
