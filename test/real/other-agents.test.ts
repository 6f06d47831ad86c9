/** Agents that Troupe knows by acpx's registry only: their handshake is understood, and plain turns of theirs are whole. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync } from "node:fs"
import { gemini, opencode } from "./harness/agents.ts"
import type { RealAgent } from "./harness/agents.ts"
import * as Installation from "./harness/Installation.ts"
import { open, recalled } from "./harness/open.ts"
import { updatesOf } from "./harness/wire.ts"

interface Diagnosed {
  readonly name: string
  readonly available: boolean
  readonly version: string | null
  readonly handshake: { readonly ok: boolean } | null
}

const configured = ({ name }: RealAgent) => ({ [name]: { protocol: "acp", registry: name } })

it.live.each([
  { agent: gemini, version: "0.61.0" },
  { agent: opencode, version: "1.18.33" }
])("doctor finds $agent.name on the PATH, and shakes hands with it", ({ agent, version }) =>
  Effect.gen(function* () {
    const installation = yield* Installation.makeWith(configured(agent))
    const { code, stderr, stdout } = yield* installation.command("doctor", agent.name, "--json")
    assert.strictEqual(code, 0, `${stdout}${stderr}`)
    const { agents } = JSON.parse(stdout) as { readonly agents: ReadonlyArray<Diagnosed> }
    assert.deepInclude(agents[0], { name: agent.name, available: true, version })
    assert.isTrue(agents[0]?.handshake?.ok)
    assert.deepStrictEqual(installation.running(), [])
    assert.deepStrictEqual(installation.model.asked(), [], "a handshake costs no model call")
  })
)

describe.each([gemini, opencode])("$name", (agent) => {
  it.live("answers a turn in pieces, and the next one knowing it", () =>
    Effect.gen(function* () {
      const { session } = yield* open({ agent: agent.name }, {}, configured(agent))
      const prompt = "SLOW:50x100"
      const first = yield* session.turn(prompt)
      assert.strictEqual(first.status, 200, first.body.error ?? "")
      assert.include(first.body, { ok: true, stop_reason: "end_turn", partial: false, error: null })
      const words = Array.from({ length: 50 }, (_, nth) => `w${nth + 1}`)
      assert.strictEqual(first.body.final_text.trim(), words.join(" "))
      assert.isAbove(updatesOf(first.body.events, "agent_message_chunk").length, 1, "it came in pieces")
      const second = yield* session.turn("RECALL")
      assert.strictEqual(second.status, 200, second.body.error ?? "")
      assert.include(recalled(second.body), prompt)
    })
  )
})

describe.each([gemini, opencode])("$name where all is approved", (agent) => {
  it.live("runs a command, which is counted", () =>
    Effect.gen(function* () {
      const options = { agent: agent.name, permissions: "approve_all" } as const
      const { installation, session } = yield* open(options, {}, configured(agent))
      const { body, status } = yield* session.turn("ASK:touch granted\nSAY:as you wish")
      assert.strictEqual(status, 200, body.error ?? "")
      assert.include(body, { ok: true, final_text: "as you wish", tool_iterations: 1 })
      assert.isTrue(existsSync(installation.file("granted")))
    })
  )
})
