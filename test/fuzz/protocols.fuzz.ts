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

/** Programs that read such a value survive it, those that write it again by recursion do not. */
const deepText = "[".repeat(20_000) + "]".repeat(20_000)

/** The message with one of its texts nested deep. Written by hand, for `JSON.stringify` is such a program. */
const deep = (sample: unknown, at: number): string => {
  const text = JSON.stringify(sample)
  const values = [...text.matchAll(/:("(?:[^"\\]|\\.)*")/g)]
  const chosen = values[at % values.length]
  if (chosen?.[1] === undefined) return text
  const start = chosen.index + 1
  return text.slice(0, start) + deepText + text.slice(start + chosen[1].length)
}

/** Each of these once had the reading of the agent's output die. */
const foundBefore = (lines: ReadonlyArray<string>) => Buffer.from(lines.map((line) => `${line}\n`).join(""))
const examples = [
  foundBefore([
    '{"jsonrpc":"2.0","id":999,"error":{"code":1e308,"message":"odd"}}',
    '{"id":"$REQUEST","error":{"code":1e308}}'
  ]),
  foundBefore([
    '{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"$THREAD","update":{"sessionUpdate":"_troupe/subagent_update"}}}',
    '{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"$THREAD","update":{"sessionUpdate":"agent_message_chunk","messageId":{"toString":1},"content":{"type":"text","text":"a"}}}}'
  ])
]

const batches = (samples: ReadonlyArray<unknown>) => {
  const json = fc.oneof(
    { weight: 12, arbitrary: changed(samples).map(jsonOf) },
    { weight: 1, arbitrary: anyValue.map(jsonOf) },
    { weight: 1, arbitrary: fc.tuple(fc.constantFrom(...samples), fc.nat()).map(([sample, at]) => deep(sample, at)) },
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
            examples,
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
              // A message may say that the agent's account is of no use any more. That its process is gone it can't say.
              if (next.ok !== true)
                console.log(
                  "NEXT",
                  JSON.stringify([next.error_class, next.error]),
                  JSON.stringify((await run(troupe.call(`/inspect/api/sessions/${id}/steps`, { token }))).json).slice(
                    0,
                    6000
                  )
                )
              assert.notInclude(["crash", "protocol"], next.error_class, JSON.stringify(next))
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
