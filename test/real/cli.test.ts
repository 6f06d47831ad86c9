/** The commands that start real agents without a server. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { agents, claude, codex } from "./harness/agents.ts"
import { elsewhere } from "./harness/surroundings.ts"
import * as Installation from "./harness/Installation.ts"

interface Diagnosed {
  readonly name: string
  readonly available: boolean
  readonly version: string | null
  readonly handshake: { readonly ok: boolean } | null
}

it.live("doctor finds the real agents, shakes hands with each, and leaves nobody", () =>
  Effect.gen(function* () {
    const installation = yield* Installation.make
    const versions: Record<string, string | null> = {}
    // One by one: all at once would start every agent of the machine, four at a time with their adapters.
    for (const { name } of agents) {
      const { code, stderr, stdout } = yield* installation.command("doctor", name, "--json")
      assert.strictEqual(code, 0, `${stdout}${stderr}`)
      const { agents: diagnosed } = JSON.parse(stdout) as { readonly agents: ReadonlyArray<Diagnosed> }
      assert.deepInclude(diagnosed[0], { name, available: true })
      assert.isTrue(diagnosed[0]?.handshake?.ok, stdout)
      versions[name] = diagnosed[0]?.version ?? null
    }
    assert.include(versions, { [codex.name]: "0.171.0", [claude.name]: "0.101.0" })
    assert.deepStrictEqual(installation.running(), [])
    assert.deepStrictEqual(installation.model.asked(), [], "a handshake costs no model call")
  })
)

it.live("run prints the answer of the real claude", () =>
  Effect.gen(function* () {
    const installation = yield* Installation.make
    const { code, stderr, stdout } = yield* installation.command("run", "SAY:a heron", "--json")
    assert.strictEqual(code, 0, stderr)
    assert.deepInclude(JSON.parse(stdout), { ok: true, result: "a heron" })
    const refused = yield* installation.command("run", "ERR:400")
    assert.strictEqual(refused.code, 1)
    assert.match(refused.stderr, /400/)
    assert.deepStrictEqual(installation.running(), [])
  })
)

it.live("run does what --permissions allows, and refuses the words under which somebody would have to be asked", () =>
  Effect.gen(function* () {
    const installation = yield* Installation.make
    const outside = yield* elsewhere
    const run = (permissions: string) =>
      installation.command("run", `RUN:touch ${outside}/${permissions}\nSAY:done`, "--permissions", permissions)
    for (const permissions of ["deny", "approve_all"]) {
      const { code, stderr, stdout } = yield* run(permissions)
      assert.deepStrictEqual([code, stdout], [0, "done\n"], stderr)
      assert.strictEqual(existsSync(join(outside, permissions)), permissions === "approve_all", permissions)
    }
    for (const permissions of ["ask", "approve_edits"]) {
      const { code, stderr } = yield* run(permissions)
      assert.strictEqual(code, 1)
      assert.match(stderr, /can't be kept by a run, where nobody can be asked/)
    }
  })
)
