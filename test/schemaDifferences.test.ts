/** What `npm run newer` says about two schemas, and about what an agent announces. */
import { assert, describe, it } from "@effect/vitest"
import { differences, fieldsOfSchema, fieldsOfValue } from "../scripts/schemaDifferences.ts"
import type { Json } from "../scripts/schemaDifferences.ts"

const request = (method: string, params: string) => ({
  type: "object",
  title: `${method}Request`,
  required: ["id", "method", "params"],
  properties: { method: { type: "string", enum: [method] }, params: { $ref: `#/definitions/${params}` } }
})

const before: Json = {
  definitions: {
    ClientRequest: { oneOf: [request("thread/start", "StartParams"), request("thread/drop", "DropParams")] },
    DropParams: { type: "object", properties: { threadId: { type: "string" } } },
    // Codex nests the second version of its protocol.
    v2: {
      StartParams: {
        type: "object",
        description: "Starts.",
        required: ["cwd"],
        properties: { cwd: { type: "string" }, model: { type: ["string", "null"] }, old: { type: "boolean" } }
      },
      Status: { type: "string", enum: ["idle", "busy", "ended"] },
      Item: {
        oneOf: [
          { type: "object", required: ["type"], properties: { type: { const: "text" }, text: { type: "string" } } },
          { type: "object", required: ["type"], properties: { type: { const: "image" }, url: { type: "string" } } }
        ]
      }
    }
  }
}

const after: Json = {
  definitions: {
    ClientRequest: { oneOf: [request("thread/fork", "ForkParams"), request("thread/start", "StartParams")] },
    ForkParams: { type: "object", properties: { threadId: { type: "string" } } },
    v2: {
      Item: {
        oneOf: [
          { type: "object", required: ["type"], properties: { type: { const: "audio" }, url: { type: "string" } } },
          {
            type: "object",
            required: ["type", "text"],
            properties: { text: { type: "string" }, type: { const: "text" } }
          }
        ]
      },
      StartParams: {
        type: "object",
        description: "Starts a thread.",
        required: ["cwd", "model"],
        properties: {
          model: { anyOf: [{ $ref: "#/definitions/v2/Model" }, { type: "null" }] },
          cwd: { type: "string", description: "Where it works." },
          roots: { type: "array", items: { type: "string" } }
        }
      },
      Status: { type: "string", enum: ["busy", "idle", "lost", "ended"] }
    }
  }
}

describe("the differences of two schemas", () => {
  it("methods, definitions, fields and variants are added, removed and changed; the order and descriptions do not count", () => {
    assert.deepStrictEqual(differences(fieldsOfSchema(before), fieldsOfSchema(after)), {
      added: [
        "ForkParams: object",
        "Item[audio]",
        "StartParams.roots: string[] (optional)",
        "method thread/fork: ForkParams"
      ],
      removed: [
        "DropParams: object",
        "Item[image]",
        "StartParams.old: boolean (optional)",
        "method thread/drop: DropParams"
      ],
      changed: [
        "Item[text].text: string (optional) → string",
        "StartParams.model: null | string (optional) → Model | null",
        'Status: + "lost"'
      ]
    })
  })

  it("a schema does not differ from itself", () => {
    const none = { added: [], removed: [], changed: [] }
    assert.deepStrictEqual(differences(fieldsOfSchema(before), fieldsOfSchema(structuredClone(before))), none)
  })

  it("the methods of ACP are named at the definitions of their messages", () => {
    const acp = ($defs: Json) => fieldsOfSchema({ $defs })
    const prompt: Json = { type: "object", "x-side": "agent", "x-method": "session/prompt" }
    assert.deepStrictEqual(differences(acp({ Prompt: prompt }), acp({})).removed, [
      "Prompt: object",
      "method session/prompt Prompt"
    ])
  })

  it("what an agent announces is compared by its values, and entries of lists by their ids", () => {
    const announced = (mode: string, ...modes: ReadonlyArray<string>) =>
      fieldsOfValue({ modes: { current: mode, available: modes.map((id) => ({ id, name: id })) }, load: {} })
    assert.deepStrictEqual(differences(announced("default", "plan", "default"), announced("auto", "auto", "default")), {
      added: ["modes.available[auto]"],
      removed: ["modes.available[plan]"],
      changed: ['modes.current: "default" → "auto"']
    })
  })
})
