/** How codex's failures end a turn: their class and what they say, in recorded traces and in codex's own table. */
import { assert, describe, it } from "@effect/vitest"
import { failedEnd } from "../../src/agent/codex/failures.ts"
import * as Translator from "../../src/agent/codex/Translator.ts"
import { ends, metaOf, replay, updates } from "./codex.replay.ts"

describe("failures", () => {
  it.each([
    ["60-http401", "auth", /HTTP 401.*codex login/],
    ["60b-http401-default-retries", "auth", /HTTP 401/],
    ["61-http429", "model", /HTTP 429/],
    ["62-http500", "model", /HTTP 500/],
    ["62c-http400", "model", /mock error 400/],
    ["65-stream-cut", "model", /stream disconnected/],
    ["67-stream-idle-timeout", "model", /idle timeout/],
    ["68-failed-context-length", "conversation", /context window.*Start a new session/],
    ["69-usage-limit-429", "quota", /usage limit/],
    ["69b-policy-cyber", "model", /refused this request by its usage policy: .* change the prompt/],
    ["69c-policy-bio", "model", /refused this request by its usage policy: .* change the prompt/],
    ["70-connection-refused-bounded-r0", "model", /could not reach/],
    ["107-auto-compaction-fails", "model", /compaction/]
  ])("%s: a failure of class %s", (name, failureClass, message) => {
    const [failure] = ends(replay(name).facts).flatMap(({ failure }) => failure ?? [])
    assert.strictEqual(failure?.class, failureClass)
    assert.match(failure?.message ?? "", message)
  })

  it("a used-up account's failure has the time of the reset, where codex reports it", () => {
    const [failure] = ends(replay("69-usage-limit-429").facts).flatMap(({ failure }) => failure ?? [])
    // `Mar 17th, 2030 5:46 PM`, to the end of that minute, in this machine's time zone, as codex writes it.
    assert.strictEqual(failure?.retryAt, new Date(2030, 2, 17, 17, 47).getTime())
  })

  // The failures of codex's own table that are in no trace.
  it.each([
    [{ httpConnectionFailed: { httpStatusCode: 403 } }, "forbidden", "auth", /HTTP 403.*codex login/],
    [{ httpConnectionFailed: { httpStatusCode: 404 } }, "not found", "model", /HTTP 404/],
    [{ httpConnectionFailed: { httpStatusCode: 503 } }, "unavailable", "model", /HTTP 503/],
    ["unauthorized", "no login", "auth", /HTTP 401.*codex login/],
    ["rateLimitExceeded", "slow down", "model", /slow down/],
    ["serverOverloaded", "busy", "model", /busy/],
    ["misalignmentPolicyViolation", "not aligned", "model", /usage policy: not aligned/],
    ["usageLimitExceeded", "insufficient_quota", "quota", /usage limit/],
    ["other", "Missing environment variable: `KEY`.", "config", /inheritEnv/],
    ["fromTheFuture", "who knows", "model", /who knows/],
    [null, null, "model", /no reason given/]
  ] as const)("%j: a failure that says %j is of class %s", (codexErrorInfo, message, failureClass, says) => {
    const { failure, stopReason } = failedEnd({ message, codexErrorInfo })
    assert.deepStrictEqual([stopReason, failure?.class], ["error", failureClass])
    assert.match(failure?.message ?? "", says)
  })

  it.each([
    ["max_output_tokens", "max_tokens"],
    ["content_filter", "refusal"]
  ] as const)("an answer that was cut short (%s) is an end and no failure", (reason, stopReason) => {
    const message = `Incomplete response returned, reason: ${reason}`
    assert.deepStrictEqual(failedEnd({ message, codexErrorInfo: "other" }), { stopReason, failure: null })
  })

  it("a conversation that the model's API refuses twice in the same words fails as such", () => {
    const translator = Translator.make("T")
    const classOf = (turn: number, status: string, message = "") => {
      const id = `U${turn}`
      translator.begin(turn)
      translator.accepted(id)
      const error = { message, codexErrorInfo: "other" }
      return ends(translator.notification("turn/completed", { threadId: "T", turn: { id, status, error } }))[0]?.failure
        ?.class
    }
    // A 400, of which codex quotes the body (trace 62c).
    const body = JSON.stringify({ error: { message: "Invalid 'input[3].call_id'", type: "invalid_request_error" } })
    const classes = [
      classOf(1, "failed", body),
      classOf(2, "completed"),
      classOf(3, "failed", body),
      classOf(4, "interrupted"),
      classOf(5, "failed", body)
    ]
    assert.deepStrictEqual(classes, ["model", undefined, "model", undefined, "conversation"])
  })

  it("each retry of codex is emitted", () => {
    const retries = updates(replay("60b-http401-default-retries").facts).filter(
      (fact) => "troupe/retry" in metaOf(fact)
    )
    assert.isAbove(retries.length, 1)
    assert.isTrue(retries.every(({ turn }) => turn === 1))
  })

  it("the end of codex's own compaction is no prompt's end", () => {
    assert.deepStrictEqual(
      ends(replay("106-compaction-fails").facts).map(({ turn, stopReason }) => [turn, stopReason]),
      [
        [1, "end_turn"],
        [2, "end_turn"]
      ]
    )
  })

  it("a turn after a failed one is translated as any other", () => {
    assert.deepStrictEqual(
      ends(replay("72-recovers-after-system-error").facts)
        .map(({ stopReason }) => stopReason)
        .at(-1),
      "end_turn"
    )
  })

  it.each(["110-stdin-eof-mid-turn", "111-sigterm-mid-turn", "112-sigkill-mid-turn"])(
    "%s: no end is invented",
    (name) => {
      assert.deepStrictEqual(ends(replay(name).facts), [])
    }
  )
})
