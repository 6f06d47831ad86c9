/** The log's lines of requests: what a client was refused with is found there by the `request_id` that it was given. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { connect } from "node:net"
import { open } from "./harness.ts"

interface Line {
  readonly level: string
  readonly [field: string]: unknown
}

const linesOf = (log: ReadonlyArray<string>): ReadonlyArray<Line> => log.map((line) => JSON.parse(line) as Line)

it.live("the log has one line of each problem at a level that is shown by default, found by its request_id", () =>
  Effect.gen(function* () {
    const { call, script } = yield* open()
    const expected = [
      [yield* call("/sessions/ses_none/turn", { body: { prompt: "hello" } }), "info", "session_not_found"],
      [yield* call("/sessions", { body: { agent: 7 } }), "info", "invalid_request"],
      [yield* call("/nowhere"), "info", "not_found"],
      [yield* call("/sessions", { method: "DELETE" }), "info", "method_not_allowed"],
      [yield* call("/sessions", { token: "trp_guessed" }), "warn", "unauthorized"],
      [yield* call("/admin/apps"), "warn", "forbidden"],
      [yield* call("/sessions", { headers: { origin: "https://evil.example" } }), "warn", "forbidden_origin"],
      [yield* call("/sessions/ses_full/turn", { body: { prompt: "hello" } }), "warn", "queue_full"]
    ] as const
    const lines = linesOf(script.log)
    for (const [answer, level, error] of expected) {
      assert.strictEqual(answer.json.error, error, answer.text)
      const found = lines.filter((line) => line["request_id"] === answer.json.request_id && line.level !== "debug")
      assert.lengthOf(found, 1, `${error}: ${JSON.stringify(found)}`)
      const [line] = found
      assert.deepInclude(line, { level, error, status: answer.status })
      assert.strictEqual("remote" in line!, level === "warn" && answer.status < 500, error)
    }
    assert.notInclude(script.log.join("\n"), "trp_guessed")
  }).pipe(Effect.scoped)
)

it.live("a defect's cause is in the log under the same request_id as its answer", () =>
  Effect.gen(function* () {
    const { call, script } = yield* open()
    const answer = yield* call("/sessions/ses_defect/turn", { body: { prompt: "hello" } })
    assert.strictEqual(answer.status, 500, answer.text)
    const levels = linesOf(script.log).filter((line) => line["request_id"] === answer.json.request_id)
    assert.sameMembers(
      levels.map(({ level }) => level),
      ["error", "warn"]
    )
    assert.isString(levels.find(({ level }) => level === "error")?.["error"])
  }).pipe(Effect.scoped)
)

it.live("bytes that are no request leave a line with the id that was answered", () =>
  Effect.gen(function* () {
    const { base, script } = yield* open()
    const { hostname, port } = new URL(base)
    const text = yield* Effect.promise(
      () =>
        new Promise<string>((resolve) => {
          let answer = ""
          const socket = connect(Number(port), hostname, () => socket.write("no such thing\r\n\r\n"))
          socket.setEncoding("utf8").on("data", (chunk: string) => (answer += chunk))
          socket.on("close", () => resolve(answer))
        })
    )
    const [, id = ""] = /x-request-id: (\S+)/.exec(text) ?? []
    const line = linesOf(script.log).find((line) => line["request_id"] === id)
    assert.deepInclude(line, { level: "info", status: 400, error: "invalid_request" })
  }).pipe(Effect.scoped)
)
