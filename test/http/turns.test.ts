/** A turn over HTTP: its body's keys, its statuses, its stream. */
import { assert, it } from "@effect/vitest"
import { Effect, Fiber, Schema } from "effect"
import { TurnResult } from "../../src/http/contract/bodies.ts"
import { readEvents } from "./readEvents.ts"
import { open } from "./harness.ts"
import { secret } from "./scriptedSessions.ts"
import { asEvents, turn } from "./turnRequest.ts"
import { untilTrue } from "./untilTrue.ts"

const keys = [
  "ok",
  "session_id",
  "turn_index",
  "stop_reason",
  "final_text",
  "events",
  "messages",
  "tool_iterations",
  "completed",
  "partial",
  "interrupted",
  "error",
  "error_class",
  "api_calls",
  "usage",
  "cost",
  "compacted",
  "context",
  "context_lost",
  "context_as_of",
  "workdir_lost",
  "accepted_without_end",
  "structured",
  "schema_mismatch",
  "recovered",
  "thread_id",
  "agent_turn_id",
  "duration_ms"
]

it.live("a turn's body has the same keys whatever its outcome", () =>
  Effect.gen(function* () {
    const { call } = yield* open()
    const expected = [
      [
        "complete",
        200,
        { ok: true, completed: true, partial: false, interrupted: false, stop_reason: "end_turn", error: null }
      ],
      [
        "interrupted",
        200,
        {
          ok: true,
          completed: false,
          partial: true,
          interrupted: true,
          stop_reason: "cancelled",
          error: null,
          error_class: null
        }
      ],
      [
        "crash",
        502,
        { ok: false, completed: false, partial: true, interrupted: false, stop_reason: "error", error_class: "crash" }
      ],
      [
        "lost",
        502,
        {
          ok: false,
          partial: true,
          error_class: "not_delivered",
          error: "not_delivered: Troupe stopped first. Send it again."
        }
      ],
      ["unknown outcome", 502, { ok: false, partial: true, error: "outcome_unknown: Look before you send it again." }],
      ["late", 504, { ok: false, completed: false, partial: true, interrupted: true, stop_reason: "error" }],
      ["forgetful", 200, { ok: true, context_lost: true }]
    ] as const
    for (const [prompt, status, members] of expected) {
      const answer = yield* call(turn, { body: { prompt } })
      assert.strictEqual(answer.status, status, prompt)
      assert.strictEqual(answer.headers.get("content-type"), "application/json")
      assert.deepStrictEqual(Object.keys(answer.json), keys)
      assert.containSubset(answer.json, members)
      // A failed turn has what had arrived.
      assert.strictEqual(answer.json.final_text, "Hello")
      assert.lengthOf(answer.json.events, 2)
      assert.deepStrictEqual(answer.json.messages, [{ role: "assistant", content: "Hello" }])
      assert.deepStrictEqual(answer.json.usage, {
        input_tokens: 1,
        cached_input_tokens: 2,
        output_tokens: 3,
        reasoning_tokens: 4,
        total_tokens: 10
      })
      // The body is written without the schema: it must decode with it.
      yield* Schema.decodeUnknownEffect(Schema.toCodecJson(TurnResult))(answer.json)
    }
    const crashed = yield* call(turn, { body: { prompt: "crash" } })
    assert.strictEqual(crashed.json.error, "crash: The agent's process ended with code 1.\npanic: at the disco")
  }).pipe(Effect.scoped)
)

it.live("the service gets the prompt, timeout and queue of the body", () =>
  Effect.gen(function* () {
    const { call, script } = yield* open()
    yield* call(turn, { body: { prompt: "hello", timeout_s: 1.5 } })
    assert.containSubset(script.submitted[0], { prompt: "hello", timeoutMillis: 1_500, caller: { app: "the-app" } })
    assert.strictEqual((yield* call("/sessions/ses_busy/turn", { body: { prompt: "hi", queue: true } })).status, 200)
  }).pipe(Effect.scoped)
)

it.live("a turn with wait false is answered with 202 at once", () =>
  Effect.gen(function* () {
    const { call } = yield* open()
    const answer = yield* call(turn, { body: { prompt: "wait for it", wait: false } })
    assert.strictEqual(answer.status, 202)
    assert.deepStrictEqual(answer.json, { ok: true, session_id: "ses_ok", turn_index: 1 })
  }).pipe(Effect.scoped)
)

it.live("what a request has made is found by its location, also when the request is repeated under its key", () =>
  Effect.gen(function* () {
    const { base, call, script } = yield* open()
    const locationOf = (path: string, body: object) =>
      Effect.map(
        call(path, { body, headers: { "idempotency-key": path } }),
        ({ headers }) => new URL(headers.get("location")!, `${base}${path}`).pathname
      )
    for (let again = 0; again < 2; again++) {
      assert.strictEqual(yield* locationOf(turn, { prompt: "complete", wait: false }), `${turn}s/1`)
      assert.strictEqual(yield* locationOf("/sessions", {}), "/sessions/ses_0123456789abcdef")
    }
    assert.lengthOf(script.submitted, 2)
    assert.isNull((yield* call(turn, { body: { prompt: "complete" } })).headers.get("location"))
  }).pipe(Effect.scoped)
)

it.live("a streamed turn sends its events as they happen, and last the body of the whole answer", () =>
  Effect.gen(function* () {
    const { ask, call } = yield* open()
    const response = yield* ask(turn, { body: { prompt: "complete" }, headers: asEvents })
    assert.strictEqual(response.status, 200)
    assert.strictEqual(response.headers.get("content-type"), "text/event-stream; charset=utf-8")
    assert.strictEqual(response.headers.get("cache-control"), "no-store, no-transform")
    assert.strictEqual(response.headers.get("x-accel-buffering"), "no")
    assert.isNotNull(response.headers.get("x-request-id"))
    const events = yield* readEvents(response).rest
    assert.deepStrictEqual(
      events.map(({ event, id }) => [event, id]),
      [
        ["state", "1"],
        ["message", "2"],
        ["message", "3"],
        ["message", "4"],
        ["result", undefined]
      ]
    )
    assert.deepStrictEqual(JSON.parse(events[0]!.data!), {
      jsonrpc: "2.0",
      method: "_troupe/state",
      params: {
        from: "turning.starting",
        to: "turning.running",
        event: "process.ready",
        _meta: { "troupe/turn_index": 1, "troupe/at": 1_700_000_000 }
      }
    })
    assert.strictEqual(JSON.parse(events[2]!.data!).params.update.content.text, "two\nlines")
    const whole = yield* call(turn, { body: { prompt: "complete" } })
    assert.deepStrictEqual(JSON.parse(events.at(-1)!.data!), whole.json)
  }).pipe(Effect.scoped)
)

it.live("a refused streamed turn gets the status of its problem, like any other", () =>
  Effect.gen(function* () {
    const { call } = yield* open()
    const submit = (id: string) => call(`/sessions/${id}/turn`, { body: { prompt: "x" }, headers: asEvents })
    assert.strictEqual((yield* submit("ses_closed")).status, 410)
    assert.strictEqual((yield* submit("ses_none")).json.error, "session_not_found")
    assert.strictEqual((yield* call(turn, { body: {}, headers: asEvents })).status, 400)
  }).pipe(Effect.scoped)
)

it.live("a stream that fails after its headers ends with an error event", () =>
  Effect.gen(function* () {
    const { ask } = yield* open()
    const last = (prompt: string) =>
      ask(turn, { body: { prompt }, headers: asEvents }).pipe(
        Effect.flatMap((response) => readEvents(response).rest),
        Effect.map((events) => events.at(-1)!)
      )
    const broken = yield* last("break")
    assert.strictEqual(broken.event, "error")
    assert.containSubset(JSON.parse(broken.data!), { ok: false, error: "unavailable", status: 500 })
    assert.notInclude(broken.data!, secret)
    const full = yield* last("no slot")
    assert.strictEqual(full.event, "error")
    assert.containSubset(JSON.parse(full.data!), { error: "pool_full", status: 503, retry_after: 5 })
    // A failure of the agent is a result, streamed or not.
    const crashed = yield* last("crash")
    assert.strictEqual(crashed.event, "result")
    assert.containSubset(JSON.parse(crashed.data!), { ok: false, stop_reason: "error" })
  }).pipe(Effect.scoped)
)

it.live("a turn goes on when its client disconnects, and is interrupted with cancel_on_disconnect", () =>
  Effect.gen(function* () {
    const { ask, base, script } = yield* open()
    assert.isString(base)
    for (const headers of [{}, asEvents]) {
      const before = script.submitted.length
      for (const [nth, cancel] of [undefined, false, true].entries()) {
        const controller = new AbortController()
        const body = { prompt: "wait for it", ...(cancel === undefined ? {} : { cancel_on_disconnect: cancel }) }
        const fiber = yield* ask(turn, { body, headers, signal: controller.signal }).pipe(
          Effect.tap((response) => readEvents(response).next),
          Effect.exit,
          Effect.forkChild
        )
        yield* untilTrue(() => script.submitted.length === before + nth + 1)
        if (headers === asEvents) yield* Fiber.join(fiber)
        controller.abort()
        if (cancel) yield* untilTrue(() => script.interrupted.length > 0)
        else assert.lengthOf(script.interrupted, 0)
        yield* Fiber.interrupt(fiber)
      }
      assert.deepStrictEqual(script.interrupted.splice(0), ["ses_ok turn 1"])
    }
  }).pipe(Effect.scoped)
)

it.live("GET /sessions/:id/turns shows past turns whole, page by page", () =>
  Effect.gen(function* () {
    const { call } = yield* open()
    const first = yield* call("/sessions/ses_1/turns?limit=2")
    assert.strictEqual(first.status, 200)
    assert.deepStrictEqual(Object.keys(first.json), ["ok", "count", "turns", "next_cursor"])
    assert.strictEqual(first.json.count, 3)
    assert.deepStrictEqual(
      first.json.turns.map((one: { readonly turn_index: number }) => one.turn_index),
      [1, 2]
    )
    const second = yield* call(`/sessions/ses_1/turns?limit=2&cursor=${first.json.next_cursor}`)
    assert.lengthOf(second.json.turns, 1)
    assert.isNull(second.json.next_cursor)

    const one = yield* call("/sessions/ses_1/turns/2")
    assert.deepStrictEqual(Object.keys(one.json), [...keys, "kind", "status", "prompt", "submitted_at", "ended_at"])
    assert.deepStrictEqual(one.json, first.json.turns[1])
    assert.containSubset(one.json, { status: "completed", submitted_at: 1_700_000_000, ended_at: 1_700_000_000.25 })

    const running = yield* call("/sessions/ses_ok/turns/1")
    assert.containSubset(running.json, { ok: true, status: "running", completed: false, partial: true })
    assert.containSubset(running.json, { stop_reason: null, duration_ms: null, ended_at: null })
  }).pipe(Effect.scoped)
)
