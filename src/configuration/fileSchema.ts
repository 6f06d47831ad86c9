/**
 * The JSON Schema of `troupe.config.json`, by which editors complete and check it. Made of the schemas that decode the file, so
 * it can't differ from them; what they check by code (a duration's bounds, say) is in the descriptions.
 */
import { Schema } from "effect"
import { McpServerSpec } from "../domain/McpServer.ts"
import { AgentSpec, RunSpec } from "../domain/Settings.ts"
import { keys, names, placeOf, variableOf } from "./keys.ts"
import { meanings } from "./meanings.ts"

type Json = Readonly<Record<string, unknown>>

/** The file, as JSON Schema of the draft 2020-12. */
export const fileSchema = (): Json => {
  const top: Record<string, Json> = {}
  const reviews: Record<string, Json> = {}
  for (const name of names) {
    const [first, second] = placeOf(name)
    const property = {
      ...jsonOf(keys[name].schema),
      description: `${meanings[name].does} ${sentence(keys[name].takes)} (${variableOf(name)})`
    }
    if (second === undefined) top[first] = property
    else reviews[second] = property
  }
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "troupe.config.json",
    description:
      "The configuration of Troupe. A flag takes precedence over an environment variable, and that over this.",
    ...object({
      $schema: { type: "string", description: "The address of this schema, for editors." },
      ...top,
      reviews: { ...object(reviews), description: "Background reviews." },
      agents: { ...byName(AgentSpec), description: "Agents by name, in addition to those that are found." },
      mcpServers: { ...byName(McpServerSpec), description: "MCP servers that sessions may name." },
      run: { ...jsonOf(RunSpec), description: "The program of `POST /run`; claude where it is absent." }
    })
  }
}

const sentence = (takes: string): string => `Takes ${takes}.`

const object = (properties: Json): Json => ({ type: "object", properties, additionalProperties: false })

const byName = (schema: Schema.Top): Json => ({ type: "object", additionalProperties: jsonOf(schema) })

const jsonOf = (schema: Schema.Top): Json => closed(Schema.toJsonSchemaDocument(schema).schema) as Json

/** A key that is no setting is an error in the file, in every object that has fields of its own. */
const closed = (schema: unknown): unknown => {
  if (Array.isArray(schema)) return schema.map(closed)
  if (typeof schema !== "object" || schema === null) return schema
  const parts = Object.fromEntries(Object.entries(schema).map(([key, part]) => [key, closed(part)]))
  return "properties" in parts ? { ...parts, additionalProperties: false } : parts
}
