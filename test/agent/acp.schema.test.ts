/** What Troupe writes as ACP, held against the protocol's own schema and types as its SDK publishes them. */
import { createRequire } from "node:module"
import type * as Sdk from "@agentclientprotocol/sdk"
import { assert, describe, it } from "@effect/vitest"
import { JsonSchema, Schema, SchemaRepresentation } from "effect"
import * as Handshake from "../../src/agent/acp/handshake.ts"
import * as Permission from "../../src/agent/acp/permission.ts"
import type { ApprovalDecision } from "../../src/agent/Agent.ts"
import { steeringMessage } from "../../src/domain/Acp.ts"
import type { UpdateMessage } from "../../src/domain/Acp.ts"
import { StopReason } from "../../src/domain/Turn.ts"
import * as Codex from "./codex.replay.ts"

const { $defs } = createRequire(import.meta.url)("@agentclientprotocol/sdk/schema/v1/schema.json") as {
  readonly $defs: Readonly<Record<string, JsonSchema.JsonSchema>>
}

/** Checks a value against one definition of the schema. */
const is = (definition: keyof typeof $defs): ((value: unknown) => boolean) => {
  // Effect can't translate configuration options, and nothing here has any.
  const definitions = { ...$defs, SessionConfigOption: { type: "object" } }
  const document = JsonSchema.fromSchemaDraft2020_12({ $ref: `#/$defs/${definition}`, $defs: definitions })
  return Schema.is(SchemaRepresentation.fromJsonSchemaDocument(document) as Schema.Schema<unknown>)
}

// These compile where all that the SDK has is ours, too: its session updates, and its reasons for a turn's end.
const asOurs = (params: Sdk.SessionNotification): UpdateMessage["params"] => params
const asOurReason = (reason: Sdk.StopReason): StopReason => reason

const isNotification = is("SessionNotification")

describe("the schema of ACP", () => {
  it("the schema refuses what is no session update", () => {
    const update = { sessionUpdate: "tool_call", toolCallId: "a", title: "b" } as const
    assert.isTrue(isNotification(asOurs({ sessionId: "s", update })))
    assert.isTrue(isNotification({ sessionId: "s", update: { ...update, kind: "read" } }))
    assert.isFalse(isNotification({ sessionId: "s", update: { ...update, kind: "reading" } }))
    assert.isFalse(isNotification({ sessionId: "s", update: { sessionUpdate: "unheard_of" } }))
  })

  it.each(Codex.traces)("every update of codex's trace %s is translated to valid ACP", (name) => {
    for (const { message } of Codex.updates(Codex.replay(name).facts)) {
      assert.isTrue(isNotification(message.params), JSON.stringify(message.params))
    }
  })

  it("the message that reports steering is valid ACP", () => {
    assert.isTrue(isNotification(steeringMessage("s", "faster").params))
  })

  it("the parameters of our initialize request are valid ACP", () => {
    for (const questions of [true, false]) {
      assert.isTrue(is("InitializeRequest")(Handshake.params(questions) satisfies Sdk.InitializeRequest))
    }
  })

  it("our answer to a permission request is valid ACP, whatever was decided", () => {
    const isResponse = is("RequestPermissionResponse")
    const kinds: ReadonlyArray<Sdk.PermissionOptionKind> = [
      "allow_once",
      "allow_always",
      "reject_once",
      "reject_always"
    ]
    const options = kinds.map((kind) => ({ optionId: `option-${kind}`, kind, name: kind }))
    for (const offered of [options, []]) {
      const request = Permission.read({ sessionId: "s", toolCall: { toolCallId: "t" }, options: offered })
      for (const decision of ["once", "session", "deny"] satisfies ReadonlyArray<ApprovalDecision>) {
        const response: Sdk.RequestPermissionResponse = Permission.outcome(request, "execute", decision)
        assert.isTrue(isResponse(response))
      }
    }
  })

  it("our stop reasons are ACP's, but for the one that is Troupe's own", () => {
    assert.strictEqual(asOurReason("end_turn"), "end_turn")
    const isStopReason = is("StopReason")
    assert.deepStrictEqual(
      StopReason.literals.filter((reason) => !isStopReason(reason)),
      ["error"]
    )
  })
})
