/** troupe.config.schema.json, by which editors check the configuration: it takes what the program takes. */
import { assert, describe, it } from "@effect/vitest"
import { Ajv2020 } from "ajv/dist/2020.js"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { isUpToDate } from "../../scripts/configSchema.ts"
import { fileSchema } from "../../src/configuration/fileSchema.ts"
import { names, placeOf } from "../../src/configuration/keys.ts"

const root = join(import.meta.dirname, "..", "..")
const valid = new Ajv2020({ strict: true, strictTuples: false, allErrors: true, allowUnionTypes: true }).compile(
  fileSchema()
)

describe("the schema of the configuration file", () => {
  it("is up to date: `npm run config-schema` brings it", () => {
    assert.isTrue(isUpToDate())
  })

  it("has every setting, with what it takes", () => {
    const { properties } = fileSchema() as { readonly properties: Readonly<Record<string, Described>> }
    for (const [first, second] of names.map(placeOf)) {
      const property = second === undefined ? properties[first] : properties[first]?.properties?.[second]
      assert.match(property?.description ?? "", /. Takes .*\(TROUPE_[A-Z_]+\)$/)
    }
  })

  it("takes the file of the README", () => {
    const [, example = ""] =
      /```json\n(\{\n {2}"(?:\$schema|defaultAgent)[\s\S]*?)```/.exec(readFileSync(join(root, "README.md"), "utf8")) ??
      []
    const file: unknown = JSON.parse(example)
    assert.isTrue(valid(file), JSON.stringify(valid.errors))
  })

  it.each([
    { $schema: "./troupe.config.schema.json", port: 0, maxProcesses: 2, poolWait: "30 seconds", sessionTtl: "off" },
    { allowedHosts: "a,b", allowedOrigins: ["https://app.example.org"], maxSessionDescendants: "off" },
    { reviews: { model: "m", skillTool: true }, agents: { demo: { protocol: "acp", command: ["node", "x.js"] } } },
    { mcpServers: { tickets: { command: "tickets", env: { KEY: "x" } }, web: { type: "http", url: "https://x" } } }
  ])("takes %j", (file) => {
    assert.isTrue(valid(file), JSON.stringify(valid.errors))
  })

  it.each([
    { prot: 1 },
    { port: "many" },
    { port: 65_536 },
    { logLevel: "loud" },
    { maxProcesses: 0 },
    { reviews: { modell: "m" } },
    { agents: { demo: { protocol: "smtp" } } },
    { agents: { demo: { protocol: "acp", comand: ["x"] } } },
    { mcpServers: { tickets: { url: "https://x" } } }
  ])("refuses %j", (file) => {
    assert.isFalse(valid(file))
  })
})

interface Described {
  readonly description?: string
  readonly properties?: Readonly<Record<string, Described>>
}
