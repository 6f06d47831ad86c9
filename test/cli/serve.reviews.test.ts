/** Reviews of a server that is configured by its environment, on an account whose key stays secret. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { calling, inOrder, serve } from "../fixtures/models/responses.ts"
import { makeWorkspace } from "./program.ts"

const secret = "sk-of-the-reviews-alone"

describe("troupe serve", () => {
  it.live("runs reviews as configured, with a key that is in no log and in no child's environment", () =>
    Effect.gen(function* () {
      const model = yield* serve(
        inOrder(calling("memory", { action: "add", text: "They keep herons.", id: null }), { text: "Done." })
      )
      const workspace = yield* Effect.acquireRelease(Effect.sync(makeWorkspace), ({ cleanUp }) =>
        Effect.promise(cleanUp)
      )
      const program = workspace.start(["serve", "--port", "0"], {
        TROUPE_LOG_LEVEL: "debug",
        TROUPE_REVIEWS: "true",
        TROUPE_REVIEW_MEMORY_INTERVAL: "1",
        TROUPE_REVIEW_API_KEY: secret,
        TROUPE_REVIEW_BASE_URL: model.baseUrl,
        TROUPE_REVIEW_MODEL: "small"
      })
      const [, url = ""] = yield* Effect.promise(() => program.printed(/listens on (http:\/\/\S+)[^]*curl/))
      const token = readFileSync(join(workspace.cwd, ".troupe", "app-token"), "utf8").trim()
      const call = (path: string, body?: object) =>
        Effect.promise(async () => {
          const response = await fetch(url + path, {
            method: body === undefined ? "GET" : "POST",
            headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
            ...(body === undefined ? {} : { body: JSON.stringify(body) })
          })
          return (await response.json()) as Record<string, unknown>
        })

      const { session_id } = yield* call("/sessions", { agent: "demo" })
      assert.strictEqual((yield* call(`/sessions/${String(session_id)}/turn`, { prompt: "hello" }))["ok"], true)
      const reviews = call(`/sessions/${String(session_id)}/reviews`).pipe(
        Effect.map((body) => body["reviews"] as ReadonlyArray<Record<string, unknown>>)
      )
      const [review] = yield* Effect.repeat(reviews, {
        until: ([first]) => typeof first?.["ending"] === "string",
        schedule: Schedule.spaced("25 millis")
      }).pipe(Effect.timeout("30 seconds"))
      assert.deepInclude(review, { ending: "completed", model: "small", review_memory: true, review_skills: false })
      const { memories } = yield* call("/memory")
      assert.deepStrictEqual(
        (memories as ReadonlyArray<{ readonly text: string }>).map(({ text }) => text),
        ["They keep herons."]
      )
      assert.deepStrictEqual(
        model.requests.map(({ authorization, body }) => [authorization, body.model]),
        [
          [`Bearer ${secret}`, "small"],
          [`Bearer ${secret}`, "small"]
        ]
      )

      const { process: child } = yield* call(`/sessions/${String(session_id)}`)
      const { pid } = child as { readonly pid: number }
      assert.notInclude(readFileSync(`/proc/${pid}/environ`, "utf8"), secret)
      program.child.kill("SIGTERM")
      const { code, stderr, stdout } = yield* Effect.promise(() => program.ended)
      assert.strictEqual(code, 0)
      assert.notInclude(stdout + stderr, secret)
    }).pipe(Effect.scoped)
  )
})
