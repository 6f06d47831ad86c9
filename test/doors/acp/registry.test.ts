/** The entry for a registry of agents is of this version, and starts a command that there is. */
import { assert, it } from "@effect/vitest"
import entry from "../../../deploy/acp-registry/agent.json" with { type: "json" }
import manifest from "../../../package.json" with { type: "json" }
import { commands } from "../../../src/cli/cli.ts"

it("the registry's entry fits the package", () => {
  const { args, package: packed } = entry.distribution.npx
  assert.deepStrictEqual(
    [entry.id, entry.version, packed, entry.license],
    [manifest.name, manifest.version, `${manifest.name}@${manifest.version}`, manifest.license]
  )
  assert.property(commands, args[0]!)
  assert.match(entry.id, /^[a-z][a-z0-9-]*$/)
})
