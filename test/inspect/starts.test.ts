/** Agents that can't be started as they are configured: the reason is told once, and nothing is started again for it. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { chmodSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Detail } from "../../src/inspect/sessionContract.ts"
import { fixture } from "../agent/child.ts"
import { open, scratch } from "./harness.ts"

const protocols = ["acp", "codex-app-server", "acpx"] as const

describe("an agent that can't be started", () => {
  it.live.each(protocols)(
    "%s: a script without its interpreter fails as config, and is not started again",
    (protocol) =>
      Effect.gen(function* () {
        const script = join(yield* scratch, "agent")
        writeFileSync(script, "#!/usr/bin/env no-such-interpreter\n")
        chmodSync(script, 0o755)
        const registry = protocol === "acpx" ? { registry: "claude" } : {}
        const troupe = yield* open({ agents: { broken: { protocol, command: [script], ...registry } } })
        const token = yield* troupe.mint("ours")
        const id = yield* troupe.create(token, { agent: "broken", permissions: "approve_all" })
        for (const nth of [1, 2, 3, 4, 5]) {
          const turn = yield* troupe.turn(token, id, `turn ${nth}`)
          assert.match(turn.error, /^config: .* a program that it needs was not found \(exit code 127: /)
          assert.include(turn.error, "no-such-interpreter")
        }
        // The last process may still be on its way out.
        const detail = yield* Effect.repeat(
          Effect.map(troupe.call(`/inspect/api/sessions/${id}`, { token }), ({ json }) => json as Detail),
          { until: ({ session }) => session.state === "idle" }
        )
        assert.deepStrictEqual(detail.budget.deaths, [])
        assert.isNull(detail.budget.parked)
        // One start for each turn, and none by itself.
        assert.strictEqual(detail.processes.length, 5)
      }).pipe(Effect.scoped)
  )

  it.live("a system prompt that is too long for acpx's command line fails as config, with the field's name", () =>
    Effect.gen(function* () {
      const command = [process.execPath, fixture("acpx")] as const
      const troupe = yield* open({ agents: { via: { protocol: "acpx", registry: "claude", command } } })
      const token = yield* troupe.mint("ours")
      const id = yield* troupe.create(token, {
        agent: "via",
        permissions: "approve_all",
        system_prompt: "x".repeat(200_000)
      })
      const { error } = yield* troupe.turn(token, id, "go")
      assert.match(error, /^config: system_prompt may have at most 98304 bytes with via/)
    }).pipe(Effect.scoped)
  )

  it.live("a text that can't be an argument is refused with the field's name, before anything is started", () =>
    Effect.gen(function* () {
      const troupe = yield* open()
      const token = yield* troupe.mint("ours")
      for (const [path, field, body] of [
        ["/run", "prompt", { prompt: "a\0b" }],
        ["/run", "model", { prompt: "a", model: "m\0" }],
        ["/run", "model", { prompt: "a", model: "m".repeat(200_000) }],
        ["/run", "system", { prompt: "a", system: "s\0" }],
        ["/sessions", "model", { model: "m\0" }],
        ["/sessions", "model", { model: "m".repeat(200_000) }],
        ["/sessions", "system_prompt", { system_prompt: "s\0" }],
        ["/sessions", "cwd", { cwd: "/srv\0x" }]
      ] as const) {
        const { json, status } = yield* troupe.call(path, { token, body: { ...body } })
        assert.strictEqual(status, 400, `${path} ${field}`)
        assert.strictEqual(json.error, "invalid_request")
        assert.isTrue(json.detail.startsWith(`${field} `), json.detail)
      }
    }).pipe(Effect.scoped)
  )
})
