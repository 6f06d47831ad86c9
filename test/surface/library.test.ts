/** The surface over the embedded library, and what only it has: a turn that can be read along. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { openTroupe } from "../../src/promise.ts"
import { dataDir } from "./harness.ts"
import { openLibrary } from "./library.ts"
import { surface } from "./suite.ts"

surface("over the library", openLibrary)

it.live("a turn of the library gives its messages as they come, and its outcome after them", () =>
  Effect.gen(function* () {
    const directory = yield* dataDir
    yield* Effect.promise(async () => {
      await using troupe = await openTroupe({ dataDir: directory, defaultAgent: "demo", drainMillis: 100 })
      const session = await troupe.createSession()
      const turn = session.turn("slow 3 1")
      const methods: Array<string> = []
      for await (const message of turn) methods.push(message.method ?? "result")
      assert.strictEqual(methods.at(-1), "result")
      assert.isTrue(methods.slice(0, -1).every((method) => method === "session/update"))
      assert.include((await turn).finalText, "word1 word2 word3")
    })
  }).pipe(Effect.scoped)
)
