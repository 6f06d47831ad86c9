/** A real process of a scripted codex whose account is used up, as an app and an operator see it over HTTP. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { openHttp } from "../surface/http.ts"
import { actingCodex, call } from "./actingCodex.ts"

/** In the format of codex, to the minute. */
const clockTime = (at: Date) => {
  const date = at.toLocaleDateString("en-US", { month: "short", day: "numeric", year: "numeric" })
  const [month, day, year] = date.replace(",", "").split(" ")
  const time = at.toLocaleTimeString("en-US", { hour: "numeric", minute: "2-digit" }).replace(/\s/u, " ")
  return `${month} ${day}th, ${year} ${time}`
}

describe("a used-up account", () => {
  it.live(
    "refuses turns until the time that the agent gave, queues those that ask to wait, and ends when an operator unparks it",
    () =>
      Effect.gen(function* () {
        const { codex, requests } = yield* actingCodex
        const { baseUrl, surface, tokens } = yield* openHttp({ agents: { codex } })
        const { sessionId } = yield* surface.ours.create({ agent: "codex" })
        const post = (body: unknown) => call(baseUrl, `/sessions/${sessionId}/turn`, tokens.ours, body)
        const inTwoHours = new Date(Date.now() + 2 * 3_600_000)
        const failed = yield* post({ prompt: `quota ${clockTime(inTwoHours)}` })
        assert.strictEqual(failed.status, 502)
        assert.match(String(failed.body["error"]), /^quota: Codex's usage limit is reached: .*try again at/)

        const refused = yield* post({ prompt: "now" })
        assert.containSubset(refused, { status: 503, body: { ok: false, error: "session_parked" } })
        assert.strictEqual(refused.retryAfter, String(refused.body["retry_after"]))
        assert.approximately(Number(refused.retryAfter), 2 * 3_600, 120)
        assert.match(String(refused.body["detail"]), /account is used up: .*usage limit.*"queue": true/)
        const parked = yield* call(baseUrl, `/sessions/${sessionId}`, tokens.ours).pipe(
          Effect.delay("20 millis"),
          Effect.repeat({ until: ({ body }) => body["parked"] !== null })
        )
        assert.approximately(
          Number((parked.body["parked"] as { readonly until: number }).until),
          inTwoHours.getTime() / 1_000,
          120
        )

        const queued = yield* Effect.forkChild(post({ prompt: "later", queue: true, timeout_s: 3 * 3_600 }))
        const turns = call(baseUrl, `/sessions/${sessionId}/turns`, tokens.ours)
        yield* Effect.repeat(Effect.delay(turns, "20 millis"), { until: ({ body }) => body["count"] === 2 })
        assert.deepStrictEqual(yield* requests, ["thread/start", `prompt quota ${clockTime(inTwoHours)}`])
        const unparked = yield* call(baseUrl, `/admin/sessions/${sessionId}/unpark`, tokens.admin, {})
        assert.deepStrictEqual(unparked.body, { ok: true, unparked: true })
        assert.containSubset(yield* Fiber.join(queued), { status: 200, body: { final_text: "echo: later" } })
        assert.deepStrictEqual((yield* requests).slice(2), ["thread/resume", "prompt later"])
      }).pipe(Effect.scoped)
  )
})
