/** The events of a session over HTTP: what they are made of, and that they alone are the conversation. */
import type { SessionUpdate as AcpUpdate } from "@agentclientprotocol/sdk"
import { assert, it } from "@effect/vitest"
import { Effect, Fiber, Schema, Stream } from "effect"
import { FetchHttpClient } from "effect/http"
import { globSync, readFileSync } from "node:fs"
import { StreamedMessage } from "../../src/domain/events/StreamedMessage.ts"
import { updateKinds } from "../../src/domain/events/StreamedUpdate.ts"
import type { StreamedUpdate } from "../../src/domain/events/StreamedUpdate.ts"
import { at, listIn } from "../../src/domain/json.ts"
import * as Client from "../../src/http/Client.ts"
import { chatOf, rebuilt } from "../conversation/rebuilt.ts"
import { notStrict, unknownUpdate } from "../domain/strictly.ts"
import { openHttp } from "./http.ts"
import { until } from "./suite/answers.ts"

it.live(
  "a session's whole stream has the forms that are drawn, and rebuilds what GET /turns and /messages answer",
  () =>
    Effect.gen(function* () {
      const { baseUrl, surface, tokens } = yield* openHttp()
      const { ours } = surface
      const get = (path: string) =>
        Effect.promise(async (signal) => {
          const headers = { authorization: `Bearer ${tokens.ours}` }
          const response = await fetch(`${baseUrl}${path}`, { signal, headers })
          assert.strictEqual(response.status, 200)
          return response
        })
      const json = (path: string) => Effect.flatMap(get(path), (response) => Effect.promise(() => response.json()))

      const { sessionId } = yield* ours.create({ permissions: "approve_all" })
      yield* ours.turn(sessionId, "think\nplan\ntool echo hello\nremember this")
      const running = yield* Effect.forkChild(ours.turn(sessionId, "hang"))
      yield* until(ours.get(sessionId), ({ state }) => state === "turning")
      const queued = yield* Effect.forkChild(ours.turn(sessionId, "I can wait", { queue: true }))
      yield* until(ours.turns(sessionId).pipe(Effect.andThen(ours.get(sessionId))), ({ turnCount }) => turnCount === 3)
      assert.isTrue(yield* ours.interrupt(sessionId))
      assert.isTrue((yield* Fiber.join(running)).interrupted)
      assert.isTrue((yield* Fiber.join(queued)).ok)
      assert.isFalse((yield* ours.turn(sessionId, "crash 7")).ok)
      assert.isTrue((yield* ours.turn(sessionId, "recall")).ok)
      yield* ours.close(sessionId)

      const text = yield* Effect.flatMap(get(`/sessions/${sessionId}/events`), (response) =>
        Effect.promise(() => response.text())
      )
      const raw = [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data!) as unknown)
      for (const message of raw) assert.isNull(notStrict(message))
      // The names of the events that are not the agent's.
      assert.deepStrictEqual([...new Set([...text.matchAll(/^event: (.*)$/gm)].map(([, name]) => name))].sort(), [
        "message",
        "state",
        "turn"
      ])

      const client = yield* Client.make({ baseUrl, token: tokens.ours })
      const events = yield* client.sessions.events({ params: { id: sessionId }, query: {}, headers: {} })
      const messages = Array.from(yield* Stream.runCollect(events), ({ data }) => data)
      assert.deepStrictEqual(messages as ReadonlyArray<unknown>, raw)

      const chat = rebuilt(messages)
      const { turns } = (yield* json(`/sessions/${sessionId}/turns`)) as { turns: Array<Record<string, unknown>> }
      assert.deepStrictEqual(chat.turns as ReadonlyArray<unknown>, turns.map(chatOf))
      assert.deepStrictEqual(
        chat.turns.map(({ status }) => status),
        ["completed", "interrupted", "completed", "failed", "completed"]
      )
      const page = (yield* json(`/sessions/${sessionId}/messages`)) as { messages: ReadonlyArray<unknown> }
      assert.deepStrictEqual(chat.messages as ReadonlyArray<unknown>, page.messages)
    }).pipe(Effect.provide(FetchHttpClient.layer), Effect.scoped)
)

it.live("OpenAPI describes an event by its parsed data: each message and each update of ACP by its own name", () =>
  Effect.gen(function* () {
    const { baseUrl } = yield* openHttp()
    const document = yield* Effect.promise(async () => (await fetch(`${baseUrl}/openapi.json`)).json())
    const streamOf = (path: string, method: string) =>
      at(document, "paths", path, method, "responses", "200", "content", "text/event-stream", "schema", "$ref")
    assert.strictEqual(streamOf("/sessions/{id}/events", "get"), "#/components/schemas/SessionStreamData")
    assert.strictEqual(streamOf("/sessions/{id}/turn/stream", "post"), "#/components/schemas/TurnStreamData")

    const schema = (name: string) => at(document, "components", "schemas", name)
    /** The words that a field can have, by the members of a union. */
    const wordsOf = (name: string, field: string) =>
      listIn(at(schema(name), "anyOf")).flatMap((member) => {
        const part = schema(String(at(member, "$ref")).slice("#/components/schemas/".length))
        return listIn(at(part, "properties", field, "enum"))
      })
    const methods = wordsOf("EventMessage", "method")
    assert.deepStrictEqual(
      [...new Set(methods)],
      [
        "session/update",
        "_troupe/turn",
        "_troupe/state",
        "_troupe/context_lost",
        "_troupe/context_restored",
        "_troupe/workdir_lost",
        "_troupe/approval_asked",
        "_troupe/approval_settled",
        "_troupe/mcp_failed",
        "_troupe/context_given",
        "_troupe/turn_recovered",
        "_troupe/unreadable"
      ]
    )
    assert.deepStrictEqual(wordsOf("SessionUpdate", "sessionUpdate"), Object.keys(updateKinds))
    assert.deepStrictEqual(at(schema("SubagentUpdate"), "properties", "sessionUpdate", "enum"), [
      "_troupe/subagent_update"
    ])
    assert.sameMembers(
      [...listIn(at(schema("TurnEnded"), "properties", "params", "required"))],
      ["phase", "turn_index", "at", "kind", "status", "stop_reason", "error", "error_class", "usage", "_meta"]
    )
  }).pipe(Effect.scoped)
)

it("every update in the recorded conversations has the form of its kind", () => {
  const root = new URL("../fixtures/traces/", import.meta.url).pathname
  const updates = globSync("**/*.ndjson", { cwd: root }).flatMap((file) =>
    readFileSync(`${root}${file}`, "utf8")
      .split("\n")
      .filter((line) => line.includes('"sessionUpdate"'))
      .map((line) => at(JSON.parse(line), "msg", "params", "update"))
      .filter((update) => update !== undefined)
  )
  assert.isAbove(updates.length, 1000)
  assert.deepStrictEqual(
    updates.map(unknownUpdate).filter((update) => update !== null),
    []
  )
})

it("an update that is of no known kind, or is malformed, passes unchanged", () => {
  const decode = Schema.decodeUnknownSync(StreamedMessage)
  const _meta = { "troupe/turn_index": null, "troupe/at": 1.5 }
  const updates = [
    { sessionUpdate: "of_tomorrow", anything: [1, { deep: true }] },
    { sessionUpdate: "tool_call", toolCallId: 7, title: null },
    { sessionUpdate: "agent_message_chunk", content: { type: "hologram", data: "…" }, extra: "kept" },
    { sessionUpdate: "plan", entries: "none" },
    { sessionUpdate: "_troupe/subagent_update" },
    {},
    null
  ]
  for (const update of updates) {
    const message = { jsonrpc: "2.0", method: "session/update", params: { sessionId: "s", update, _meta } }
    assert.deepStrictEqual(decode(message) as unknown, message)
  }
  for (const message of [
    { jsonrpc: "2.0", method: "_troupe/of_tomorrow", params: { a: 1 } },
    { jsonrpc: "2.0", method: "_troupe/state", params: { to: 1 } },
    { jsonrpc: "2.0", id: "x", result: null }
  ]) {
    assert.deepStrictEqual(decode(message) as unknown, message)
  }
})

/** Compiled, not run: each kind of the protocol's own library is known. */
export const known = (kind: AcpUpdate["sessionUpdate"]): StreamedUpdate["sessionUpdate"] => kind

/** Compiled, not run: what a `switch` narrows to. */
export const narrowed = (message: StreamedMessage): string => {
  switch (message.method) {
    case "session/update": {
      const { update } = message.params
      switch (update.sessionUpdate) {
        case "agent_message_chunk":
          return update.content.type === "text" ? update.content.text : update.content.type
        case "tool_call":
          return update.toolCallId satisfies string
        case "plan":
          return update.entries.map(({ content }) => content).join()
        case "usage_update":
          return String(update.used satisfies number)
        case "_troupe/subagent_update":
          return update.update.sessionUpdate
        default:
          // @ts-expect-error not every update that is left has locations
          return String(update.locations)
      }
    }
    case "_troupe/turn":
      return message.params.phase === "submitted" ? message.params.prompt : message.params.kind
    case "_troupe/state":
      return message.params.to
    case "_troupe/approval_asked":
      return message.params.approval_id satisfies string
    case undefined:
      return "result" in message ? message.result.stopReason : message.error.message
    default:
      return String(message.params._meta["troupe/at"] satisfies number)
  }
}
