/**
 * The OpenAPI document, made from what `effect` derives of the contract, so that linters take it and generators of clients
 * make from it the types that programs need (docs/decisions/0040).
 */
import { wholeNumber } from "./contract/wire.ts"
import { withClosedRequests } from "./withClosedRequests.ts"

type Json = { readonly [key: string]: unknown }

const componentPath = "#/components/schemas/"

export const documented = (document: Record<string, unknown>): Record<string, unknown> =>
  withServers(withClosedRequests(mapComponents(withoutTwins(document), plain)))

/** OpenAPI's default, said: a linter asks for it. In another server it is where the API was put (`routed.ts`). */
const withServers = (document: Record<string, unknown>) => ({
  ...document,
  servers: document["servers"] ?? [{ url: "/", description: "The server that this document came from." }]
})

// --- components that are there twice

/** `effect` numbers a component whose schema exists twice, `AppBounds_1`. Where they say the same, the first stands for all. */
const withoutTwins = (document: Record<string, unknown>): Record<string, unknown> => {
  const schemas = schemasOf(document)
  const base = (name: string) => name.replace(/_\d+$/, "")
  const twins = Object.keys(schemas).filter((name) => base(name) !== name && base(name) in schemas)
  const text = (name: string) =>
    JSON.stringify(renamed(schemas[name], (other) => (twins.includes(other) ? base(other) : other)))
  const same = new Set(twins.filter((name) => text(name) === text(base(name))))
  const nameOf = (name: string) => (same.has(name) ? base(name) : name)
  const whole = renamed(document, nameOf) as Record<string, unknown>
  const kept = Object.entries(schemasOf(whole)).filter(([name]) => !same.has(name))
  return { ...whole, components: { ...(whole["components"] as Json), schemas: Object.fromEntries(kept) } }
}

const schemasOf = (document: Json) => ((document["components"] as Json)["schemas"] ?? {}) as Json

/** The same value, with each reference to a component under another name. */
const renamed = (value: unknown, nameOf: (name: string) => string): unknown =>
  mapped(value, (node) =>
    typeof node["$ref"] === "string" && node["$ref"].startsWith(componentPath)
      ? { ...node, $ref: componentPath + nameOf(node["$ref"].slice(componentPath.length)) }
      : node
  )

// --- schemas

const mapComponents = (document: Json, change: (node: Json) => Json): Record<string, unknown> =>
  mapped(document, change) as Record<string, unknown>

/** Whether a member of a union is `anyOther` (domain/events/loose.ts), whose names begin so. */
const isAnyOther = (member: unknown) =>
  typeof member === "object" && member !== null && /\/Other[A-Z]\w*$/.test(String((member as Json)["$ref"]))

/**
 * A schema without what a reader does not need and what a generator makes a wrong type of:
 *
 * - `anyOther` of a union takes whatever the others do not, which no type can say. With it nothing narrows, as `kind` can be
 *   any text. It is left out, as the types of the library leave it out, and the description asks for a `default`.
 * - A number in a query is text to a schema; `WholeNumber` (contract/wire.ts) marks one that is to be a number.
 * - The bounds of JavaScript's whole numbers hold for every program.
 * - What `effect` writes down for its own client.
 */
const plain = ({ ["x-effect-stream"]: _, ...node }: Json): Json => {
  const { maximum, minimum, ...rest } = node
  const bounds = {
    ...(typeof minimum === "number" && minimum !== Number.MIN_SAFE_INTEGER ? { minimum } : {}),
    ...(typeof maximum === "number" && maximum !== Number.MAX_SAFE_INTEGER ? { maximum } : {})
  }
  if (node["type"] === "integer") return { ...rest, ...bounds }
  if (node["type"] === "string" && node["format"] === wholeNumber) {
    const { format: _, ...whole } = node
    return { ...whole, type: "integer" }
  }
  const members = node["anyOf"]
  if (!Array.isArray(members) || !members.some(isAnyOther)) return node
  return { ...node, anyOf: members.filter((member) => !isAnyOther(member)) }
}

/** Each object of a JSON value, from the inside out. */
const mapped = (value: unknown, change: (node: Json) => Json): unknown => {
  if (Array.isArray(value)) return value.map((member) => mapped(member, change))
  if (typeof value !== "object" || value === null) return value
  return change(Object.fromEntries(Object.entries(value).map(([key, member]) => [key, mapped(member, change)])))
}
