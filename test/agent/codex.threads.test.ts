/** The list of codex's threads, over real stdio. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as Codex from "../../src/agent/codex/driver.ts"
import { Processes } from "../../src/agent/Processes.ts"
import type { SessionId } from "../../src/domain/Ids.ts"
import { fixture, freshLease } from "./child.ts"
import { on, reply } from "./codex.agent.ts"

layer(Layer.merge(Processes.layer, NodeServices.layer), { excludeTestServices: true })("codex's threads", (it) => {
  it.effect("threads are listed as codex pages them, by a process that is gone afterwards", () =>
    Effect.gen(function* () {
      const processes = yield* Processes
      const lease = freshLease()
      const script = [
        on(1, "initialize"),
        reply(1, { userAgent: "troupe/0.171.0 (x)" }),
        on(2, "thread/list"),
        reply(2, {
          data: [
            { id: "A", cwd: "/srv", name: null, preview: "first words", updatedAt: 1_700_000_000 },
            { id: "B", cwd: "/srv", name: "named", preview: "x", updatedAt: 1_600_000_000 },
            { cwd: "/srv" }
          ],
          nextCursor: "next"
        })
      ]
      const driver = yield* Codex.make({
        name: "codex",
        command: [process.execPath, fixture("codex")],
        env: { PATH: process.env["PATH"] ?? "", SCRIPT: JSON.stringify(script) }
      })
      const request = { session: "ses_test" as SessionId, lease, spawned: () => Effect.void }
      const page = yield* Effect.scoped(
        driver.threads?.(request, { cwd: "/srv", cursor: null, limit: 3 }) ?? Effect.die("absent")
      )
      assert.deepStrictEqual(page, {
        threads: [
          { id: "A", cwd: "/srv", title: "first words", updatedAt: 1_700_000_000_000 },
          { id: "B", cwd: "/srv", title: "named", updatedAt: 1_600_000_000_000 }
        ],
        next: "next"
      })
      assert.deepStrictEqual(yield* processes.tree(lease), [])
    })
  )
})
