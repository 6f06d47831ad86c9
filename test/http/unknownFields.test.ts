/**
 * Unknown keys of requests are refused by their path. The routes come from the OpenAPI document, so a new one is tested
 * without a change here.
 */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { adminToken } from "./callers.ts"
import { open } from "./harness.ts"
import * as OpenApi from "./openApi.ts"
import type { Document, JsonSchema } from "./openApi.ts"

const unknown = "an_unknown_key"

/** `value` with an unknown key in each object of the contract's, one at a time, and the path of that key. */
const spoiltWith = (resolve: (schema: JsonSchema) => JsonSchema) => {
  const spoilt = (
    reference: JsonSchema,
    value: unknown,
    path: string
  ): ReadonlyArray<{ readonly path: string; readonly value: unknown }> => {
    const schema = resolve(reference)
    if (schema.anyOf !== undefined) return spoilt(schema.anyOf.at(-1)!, value, path)
    if (Array.isArray(value)) {
      return schema.items === undefined
        ? []
        : spoilt(schema.items, value[0], `${path}[0]`).map((inner) => ({ ...inner, value: [inner.value] }))
    }
    if (typeof value !== "object" || value === null || schema.additionalProperties !== false) return []
    const within = path === "" ? "" : `${path}.`
    const inner = Object.entries(value).flatMap(([name, member]) =>
      spoilt(schema.properties![name]!, member, `${within}${name}`).map((deeper) => ({
        path: deeper.path,
        value: { ...value, [name]: deeper.value }
      }))
    )
    return [{ path: `${within}${unknown}`, value: { ...value, [unknown]: 1 } }, ...inner]
  }
  return spoilt
}

const operationsOf = (document: Document) =>
  OpenApi.operationsOf(document).map((operation) => ({
    ...operation,
    path: operation.path.replaceAll(/\{\w+\}/g, "1")
  }))

const documentOf = (call: (path: string) => Effect.Effect<{ readonly json: unknown }>) =>
  Effect.map(call("/openapi.json"), ({ json }) => json as Document)

it.live("every operation with a JSON body refuses an unknown key at any depth, and names it", () =>
  Effect.gen(function* () {
    const { call } = yield* open()
    const document = yield* documentOf(call)
    const { resolve, valid } = OpenApi.schemasOf(document)
    const spoilt = spoiltWith(resolve)
    const refused: Array<string> = []
    for (const { method, operation, path } of operationsOf(document)) {
      const schema = operation.requestBody?.content["application/json"]?.schema
      if (schema === undefined) continue
      for (const isWhole of [false, true]) {
        for (const wrong of spoilt(schema, valid(schema, isWhole), "")) {
          const { json, status, text } = yield* call(path, { method, body: wrong.value, token: adminToken })
          assert.deepStrictEqual([status, json.error], [400, "invalid_request"], `${method} ${path}: ${text}`)
          assert.include(json.detail, `${wrong.path} is not a known field`)
          refused.push(`${method} ${path} ${wrong.path}`)
        }
      }
    }
    for (const expected of [
      `POST /sessions ${unknown}`,
      `POST /sessions permissions.rules[0].match.${unknown}`,
      `PATCH /sessions/1 permissions.rules[0].${unknown}`,
      `POST /sessions/1/turn ${unknown}`,
      `POST /sessions/1/steer ${unknown}`,
      `POST /sessions/1/approvals/1 ${unknown}`,
      `POST /run ${unknown}`,
      `POST /admin/apps ${unknown}`
    ]) {
      assert.include(refused, expected)
    }
  }).pipe(Effect.scoped)
)

it.live("an operation without a body refuses the keys of one, and takes an empty one", () =>
  Effect.gen(function* () {
    const { call } = yield* open()
    let refused = 0
    for (const { method, operation, path } of operationsOf(yield* documentOf(call))) {
      if (operation.requestBody !== undefined || method === "GET") continue
      const { json, text } = yield* call(path, { method, body: { [unknown]: 1 }, token: adminToken })
      assert.deepStrictEqual(
        json?.detail,
        `${unknown} is not a known field. This request takes no body.`,
        `${method} ${path}: ${text}`
      )
      const empty = yield* call(path, { method, body: {}, token: adminToken })
      assert.notStrictEqual(empty.status, 400, empty.text)
      refused++
    }
    assert.isAbove(refused, 3)
  }).pipe(Effect.scoped)
)

it.live("every operation with a query refuses an unknown parameter", () =>
  Effect.gen(function* () {
    const { call } = yield* open()
    let refused = 0
    for (const { method, operation, path } of operationsOf(yield* documentOf(call))) {
      if (operation.parameters?.some((parameter) => parameter.in === "query") !== true) continue
      const { json, status, text } = yield* call(`${path}?${unknown}=1`, { method, token: adminToken })
      assert.deepStrictEqual([status, json?.error], [400, "invalid_request"], `${method} ${path}: ${text}`)
      assert.include(json.detail, `${unknown} is not a known parameter`)
      refused++
    }
    assert.isAbove(refused, 5)
    const limit = yield* call("/sessions?limt=1")
    assert.strictEqual(limit.json.detail, "limt is not a known parameter (did you mean `limit`?).")
  }).pipe(Effect.scoped)
)

it.live("the refusal of an unknown key names the one that is meant, and else those there are", () =>
  Effect.gen(function* () {
    const { call } = yield* open()
    const detail = (path: string, body: unknown) =>
      Effect.map(call(path, { body }), ({ json, status, text }) => {
        assert.strictEqual(status, 400, text)
        return json.detail as string
      })
    const meant = (key: string, name: string) => `${key} is not a known field (did you mean \`${name}\`?).`
    for (const [key, name] of [
      ["permission", "permissions"],
      ["systemPrompt", "system_prompt"],
      ["system-prompt", "system_prompt"],
      ["Model", "model"],
      ["system", "system_prompt"],
      ["agnet", "agent"]
    ] as const) {
      assert.strictEqual(yield* detail("/sessions", { [key]: "x" }), meant(key, name))
    }
    const turn = "/sessions/ses_ok/turn"
    for (const key of ["timeoutS", "timeout", "timeout_ms", "timeoutSeconds"]) {
      assert.strictEqual(yield* detail(turn, { prompt: "x", [key]: 1 }), meant(key, "timeout_s"))
    }
    // oxlint-disable-next-line unicorn/no-thenable -- the key of a rule
    const rules = { default: "deny", rules: [{ match: { commands: ["ls"] }, then: "approve" }] }
    assert.strictEqual(
      yield* detail("/sessions", { permissions: rules }),
      meant("permissions.rules[0].match.commands", "command")
    )
    assert.strictEqual(
      yield* detail("/sessions/ses_ok/steer", { text: "x", zebra: 1 }),
      "zebra is not a known field (known: text)."
    )
    // A key is text of somebody else, of any length.
    const odd = yield* detail("/sessions", { [`\u001b[2J"${"x".repeat(10_000)}`]: 1 })
    assert.match(odd, /^"\\u001b\[2J\\"x+" is not a known field/)
    assert.isBelow(odd.length, 300)
    // What is not the contract's may be anything.
    assert.strictEqual((yield* call("/sessions", { body: { meta: { any: { key: [{ at: 1 }] } } } })).status, 200)
  }).pipe(Effect.scoped)
)

it.live("the document closes the objects of requests, and leaves those of answers open", () =>
  Effect.gen(function* () {
    const { call } = yield* open()
    const { components, paths } = yield* documentOf(call)
    const closedIn = (root: unknown): ReadonlyArray<string> => {
      const closed: Array<string> = []
      const seen = new Set<unknown>()
      const visit = (value: unknown, path: string): void => {
        if (typeof value !== "object" || value === null || seen.has(value)) return
        seen.add(value)
        for (const [key, member] of Object.entries(value)) {
          if (key === "additionalProperties" && member === false) closed.push(path)
          const name = key === "$ref" ? String(member).replace("#/components/schemas/", "") : undefined
          visit(name === undefined ? member : components.schemas[name], name ?? `${path}/${key}`)
        }
      }
      visit(root, "")
      return closed
    }
    const operations = Object.values(paths).flatMap((methods) => Object.values(methods))
    assert.includeMembers(
      [...closedIn(operations.map(({ requestBody }) => requestBody))],
      ["CreateSession", "PermissionRulesRequest", "PermissionMatchRequest", "SubmitTurn", "RunRequest", "CreateApp"]
    )
    assert.deepStrictEqual(closedIn(operations.map(({ responses }) => responses)), [])
    assert.property(components.schemas, "PermissionMatch")
  }).pipe(Effect.scoped)
)
