/**
 * What agents write, through real child processes and both drivers into a whole server: recorded messages with things
 * changed in them, damaged bytes, and anything. Every turn ends, everything of it can be read, and the next turn works.
 */
import { assert, it } from "@effect/vitest"
import * as fc from "fast-check"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fixture } from "../agent/child.ts"
import { anyText, anyValue, changed, damaged, jsonOf } from "./arbitraries.ts"
import { fuzz } from "./fuzz.ts"
import { assertNoDefect, withServer } from "./server.ts"

interface Recorded {
  readonly dir?: string
  readonly msg?: { readonly method?: unknown; readonly id?: unknown }
}

/** One recorded message of each kind that agents send, with the ids of the conversation left open. */
const recorded = (folder: string, incoming: string): ReadonlyArray<unknown> => {
  const directory = new URL(`../fixtures/traces/${folder}/`, import.meta.url).pathname
  const kinds = new Map<string, unknown>()
  for (const name of readdirSync(directory).filter((name) => name.endsWith(".ndjson"))) {
    for (const line of readFileSync(join(directory, name), "utf8").split("\n")) {
      if (line === "" || line.length > 20_000) continue
      const { dir, msg } = JSON.parse(line) as Recorded
      if (dir !== incoming || typeof msg !== "object" || msg === null) continue
      const text = JSON.stringify(msg)
        .replaceAll(/"(sessionId|threadId)":"[^"]*"/g, '"$1":"$THREAD"')
        .replaceAll(/"turnId":"[^"]*"/g, '"turnId":"$TURN"')
        .replaceAll(/"turn":\{"id":"[^"]*"/g, '"turn":{"id":"$TURN"')
      const message = JSON.parse(text) as { method?: string; id?: unknown; params?: Record<string, unknown> }
      // A reply goes to the prompt.
      if (message.method === undefined && "id" in message) message.id = "$REQUEST"
      const update = message.params?.["update"] as { readonly sessionUpdate?: string } | undefined
      const item = message.params?.["item"] as { readonly type?: string } | undefined
      const kind = [message.method, update?.sessionUpdate, item?.type, "error" in message].join()
      if (!kinds.has(kind)) kinds.set(kind, message)
    }
  }
  assert.isAbove(kinds.size, 8, folder)
  return [...kinds.values()]
}

const endsTurn = (sample: unknown): boolean => {
  const { method } = sample as { readonly method?: string }
  return method === undefined || method === "turn/completed" || method === "error"
}

const perTurn = 200

const batches = (samples: ReadonlyArray<unknown>) => {
  const json = fc.oneof(
    { weight: 12, arbitrary: changed(samples).map(jsonOf) },
    { weight: 1, arbitrary: anyValue.map(jsonOf) },
    { weight: 1, arbitrary: anyText }
  )
  const line = fc.oneof(
    { weight: 5, arbitrary: json.map((text) => Buffer.from(text)) },
    { weight: 1, arbitrary: damaged(json) }
  )
  const end = fc.constantFrom("\n", "\n", "\n", "\r\n", "", "\u0000\n")
  return fc
    .array(fc.tuple(line, end), { minLength: perTurn, maxLength: perTurn })
    .map((lines) => Buffer.concat(lines.flatMap(([bytes, text]) => [bytes, Buffer.from(text)])))
}

it.each([
  ["acp", "acp", recorded("acp", "in")],
  ["codex", "codex-app-server", recorded("codex", "out")]
] as const)(
  "%s: no message of an agent's stops the server, its session, or the end of its turn",
  (kind, protocol, samples) =>
    withServer(
      async ({ run, token, troupe }) => {
        const directory = mkdtempSync(join(tmpdir(), "troupe-fuzz-"))
        const file = join(directory, "bytes")
        const empty = join(directory, "empty")
        writeFileSync(empty, "")
        const turnWith = async (id: string, path: string) => {
          const { json, status, text } = await run(
            troupe.call(`/sessions/${id}/turn`, { token, body: { prompt: path, timeout_s: 30 } })
          )
          assert.include([200, 502, 504], status, text)
          return json
        }
        try {
          await fuzz({
            name: `messages of ${kind}`,
            share: 0.12,
            inputsOf: perTurn,
            isSlow: true,
            // Behind the end of a turn everything is late, so most batches have none.
            arbitrary: fc.oneof(
              { weight: 3, arbitrary: batches(samples.filter((sample) => !endsTurn(sample))) },
              { weight: 1, arbitrary: batches(samples) }
            ),
            run: async (bytes) => {
              writeFileSync(file, bytes)
              const id = await run(
                troupe.create(token, { agent: "fuzzed", permissions: "approve_all", questions: "decline" })
              )
              await turnWith(id, file)
              for (const path of [
                `/sessions/${id}`,
                `/sessions/${id}/turns/1`,
                `/sessions/${id}/messages`,
                `/sessions/${id}/approvals`,
                `/inspect/api/sessions/${id}`,
                `/inspect/api/sessions/${id}/steps`,
                `/inspect/api/sessions/${id}/events`,
                `/inspect/api/sessions/${id}/processes`,
                `/inspect/api/sessions/${id}/export?texts=1`
              ]) {
                const { status, text } = await run(troupe.call(path, { token }))
                assert.strictEqual(status, 200, `${path}: ${text}`)
              }
              const next = await turnWith(id, empty)
              // A message may say that the agent's account or process is of no use any more, so it may be a failure.
              assert.isString(next.stop_reason, JSON.stringify(next))
              const { status } = await run(troupe.call(`/sessions/${id}`, { method: "DELETE", token }))
              assert.strictEqual(status, 200)
              assertNoDefect(troupe)
            }
          })
        } finally {
          rmSync(directory, { recursive: true })
        }
      },
      { agents: { fuzzed: { protocol, command: [process.execPath, fixture("fuzzed"), kind] } } }
    )
)
