/** Forks of the real codex's threads, and threads that something else than Troupe made, by what the model is sent. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { spawn } from "node:child_process"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import type { OpenRequest } from "../../src/agent/Agent.ts"
import { Processes } from "../../src/agent/Processes.ts"
import { scene } from "./harness/codexDriver.ts"
import { real } from "./harness/Installation.ts"

layer(Layer.merge(Processes.layer, NodeServices.layer), { excludeTestServices: true })("codex's threads", (it) => {
  it.effect(
    "a fork begins with the turns up to the one named, while its source is open, and leaves that as it is",
    () =>
      Effect.gen(function* () {
        const { model, open } = yield* scene
        const texts = () => model.asked().at(-1)?.texts
        const source = yield* open()
        for (const text of ["one", "two", "three"]) yield* source.turn(text)
        const { connection, facts } = source
        const second = facts.flatMap((fact) =>
          fact._tag === "TurnStarted" && fact.turn === 2 ? [fact.agentTurnId] : []
        )
        const upTo = yield* open({ fork: { threadId: connection.thread, agentTurnId: second[0] ?? "" } })
        assert.notStrictEqual(upTo.connection.thread, connection.thread)
        yield* upTo.turn("fork")
        assert.deepStrictEqual(texts(), ["one", "two", "fork"])
        const whole = yield* open({ fork: { threadId: connection.thread, agentTurnId: null } })
        yield* whole.turn("all")
        assert.deepStrictEqual(texts(), ["one", "two", "three", "all"])
        yield* source.turn("four")
        assert.deepStrictEqual(texts(), ["one", "two", "three", "four"])
        const missing = open({ fork: { threadId: "01a22418-8b36-7f40-9bf5-350df26a60c7", agentTurnId: null } })
        assert.deepInclude(yield* Effect.flip(missing), { class: "config" })
      })
  )

  it.effect("a thread that codex exec made is listed, and a session goes on with it", () =>
    Effect.gen(function* () {
      const { at, driver, env, model, open } = yield* scene
      mkdirSync(at("elsewhere"))
      const ours = yield* open({ cwd: at("elsewhere") })
      yield* ours.turn("ours")
      const child = yield* Effect.promise(async () => {
        const exec = spawn(join(real, "node_modules/.bin/codex"), ["exec", "--skip-git-repo-check", "from the shell"], {
          cwd: at("work"),
          env,
          stdio: "ignore"
        })
        return await new Promise<number | null>((resolve) => exec.on("exit", resolve))
      })
      assert.strictEqual(child, 0)
      const request: Pick<OpenRequest, "lease" | "session" | "spawned"> = {
        lease: `${ours.lease}-list` as OpenRequest["lease"],
        session: "ses_list" as OpenRequest["session"],
        spawned: () => Effect.void
      }
      const list = (query: { readonly cwd: string | null; readonly cursor: string | null; readonly limit: number }) =>
        Effect.scoped(driver.threads?.(request, query) ?? Effect.die("absent"))
      const inWork = yield* list({ cwd: at("work"), cursor: null, limit: 10 })
      assert.deepStrictEqual(
        inWork.threads.map(({ cwd, title }) => [cwd, title]),
        [[at("work"), "from the shell"]]
      )
      const first = yield* list({ cwd: null, cursor: null, limit: 1 })
      const second = yield* list({ cwd: null, cursor: first.next, limit: 1 })
      assert.sameMembers(
        [...first.threads, ...second.threads].map(({ title }) => title),
        ["from the shell", "ours"]
      )
      const adopted = yield* open({ thread: inWork.threads[0]?.id ?? null })
      assert.isNull(adopted.connection.contextLost)
      yield* adopted.turn("go on")
      assert.deepStrictEqual(model.asked().at(-1)?.texts, ["from the shell", "go on"])
    })
  )
})
