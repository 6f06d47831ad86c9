/**
 * Compares two JSON Schemas, or two JSON values, field by field.
 *
 * A schema becomes a flat list: each method, each definition, and each field of a definition with its type in one line.
 * Descriptions, titles and the order of things do not count, because they change without a meaning for a client.
 */
export type Json = null | boolean | number | string | ReadonlyArray<Json> | { readonly [key: string]: Json }
type JsonObject = { readonly [key: string]: Json }

/** What it is called, and its type or value in one line. */
export type Fields = ReadonlyMap<string, string>

export interface Differences {
  readonly added: ReadonlyArray<string>
  readonly removed: ReadonlyArray<string>
  readonly changed: ReadonlyArray<string>
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)
const objectIn = (value: Json | undefined): JsonObject => (isObject(value) ? value : {})
const listIn = (value: Json | undefined): ReadonlyArray<Json> => (Array.isArray(value) ? value : [])

export const differences = (before: Fields, after: Fields): Differences => {
  const written = (name: string, value: string | undefined) => (value ? `${name}: ${value}` : name)
  const only = (fields: Fields, others: Fields) =>
    [...fields]
      .filter(([name]) => !others.has(name) && !isInsideMissing(name, others, fields))
      .map(([name, value]) => written(name, value))
      .toSorted()
  return {
    added: only(after, before),
    removed: only(before, after),
    changed: [...after]
      .filter(([name, value]) => before.has(name) && before.get(name) !== value)
      .map(([name, value]) => `${name}: ${change(before.get(name) ?? "", value)}`)
      .toSorted()
  }
}

/** Of two long lists of alternatives only what differs: `+ "lost"`. */
const change = (before: string, after: string): string => {
  const [old, fresh] = [before.split(" | "), after.split(" | ")]
  const added = fresh.filter((member) => !old.includes(member))
  const removed = old.filter((member) => !fresh.includes(member))
  if (fresh.length - added.length < 3) return `${before} → ${after}`
  return [...added.map((member) => `+ ${member}`), ...removed.map((member) => `- ${member}`)].join(", ")
}

/** A field of something that is missing as a whole is not reported besides. */
const isInsideMissing = (name: string, others: Fields, fields: Fields): boolean =>
  [...name.matchAll(/[.[]/g)].some(({ index }) => {
    const parent = name.slice(0, index)
    return fields.has(parent) && !others.has(parent)
  })

/** The methods and the fields of a schema's definitions (`definitions` or `$defs`, also nested as codex has them). */
export const fieldsOfSchema = (schema: Json): Fields => {
  const fields = new Map<string, string>()
  const add = (definitions: JsonObject) => {
    for (const [name, definition] of Object.entries(definitions)) {
      // Codex has the definitions of its protocol's second version inside of the first one's.
      if (isNamespace(definition)) add(definition)
      else addDefinition(fields, name, objectIn(definition))
    }
  }
  const { $defs, definitions } = objectIn(schema)
  add({ ...objectIn(definitions), ...objectIn($defs) })
  return fields
}

const schemaKeys = ["type", "properties", "oneOf", "anyOf", "allOf", "enum", "const", "$ref", "description", "not"]
const isNamespace = (value: Json): value is JsonObject =>
  isObject(value) && Object.keys(value).length > 0 && schemaKeys.every((key) => !(key in value))

const addDefinition = (fields: Map<string, string>, name: string, definition: JsonObject) => {
  const method = definition["x-method"]
  if (typeof method === "string") fields.set(`method ${method} ${name}`, "")
  fields.set(name, typeOf(definition))
  addFields(fields, name, definition)
}

const addFields = (fields: Map<string, string>, path: string, schema: JsonObject) => {
  const required = new Set(listIn(schema["required"]))
  for (const [key, property] of Object.entries(objectIn(schema["properties"]))) {
    fields.set(`${path}.${key}`, `${typeOf(objectIn(property))}${required.has(key) ? "" : " (optional)"}`)
    addFields(fields, `${path}.${key}`, objectIn(property))
  }
  if (isObject(schema["items"])) addFields(fields, `${path}[]`, schema["items"])
  for (const variant of variantsOf(schema)) {
    const name = variantName(variant)
    if (name === null) {
      if (variant["properties"] !== undefined) addFields(fields, path, variant)
      continue
    }
    const { key, value } = name
    if (key === "method") {
      const params = objectIn(objectIn(variant["properties"])["params"])
      fields.set(`method ${value}`, typeOf(params))
      continue
    }
    fields.set(
      `${path}[${value}]`,
      listIn(variant["allOf"])
        .map((part) => typeOf(objectIn(part)))
        .join(" & ")
    )
    addFields(fields, `${path}[${value}]`, variant)
  }
}

const variantsOf = (schema: JsonObject): ReadonlyArray<JsonObject> =>
  [...listIn(schema["oneOf"]), ...listIn(schema["anyOf"])].map(objectIn)

/** The property that tells a variant from its siblings: it has one value only, as `method` and `type` have. */
const variantName = (variant: JsonObject): { readonly key: string; readonly value: string } | null => {
  for (const [key, property] of Object.entries(objectIn(variant["properties"]))) {
    const values = valuesOf(objectIn(property))
    if (values.length === 1) return { key, value: String(values[0]) }
  }
  return null
}

const valuesOf = (schema: JsonObject): ReadonlyArray<Json> =>
  schema["const"] === undefined ? listIn(schema["enum"]) : [schema["const"]]

/** A type in one line: `string[] | null`, `"a" | "b"`, the name of a definition, `object`. */
const typeOf = (schema: JsonObject): string => {
  const reference = schema["$ref"]
  if (typeof reference === "string") return reference.slice(reference.lastIndexOf("/") + 1)
  const values = valuesOf(schema)
  if (values.length > 0) return union(values.map((value) => JSON.stringify(value)))
  const parts = listIn(schema["allOf"]).map((part) => typeOf(objectIn(part)))
  if (parts.length > 0) return parts.join(" & ")
  const variants = variantsOf(schema)
  // Variants with a name are listed one by one.
  if (variants.length > 0) return union(variants.filter((one) => variantName(one) === null).map(typeOf)) || "variants"
  const { items, type } = schema
  const element = isObject(items) ? typeOf(items) : "any"
  const names = Array.isArray(type) ? type : type === undefined ? ["any"] : [type]
  return union(
    names.map((name) => (name === "array" ? `${element.includes(" ") ? `(${element})` : element}[]` : String(name)))
  )
}

const union = (types: ReadonlyArray<string>): string => [...new Set(types)].toSorted().join(" | ")

/** The fields of a value, such as what an agent announces of itself. Entries of a list go by their `id`, or their place. */
export const fieldsOfValue = (value: Json, path = ""): Fields => {
  const fields = new Map<string, string>()
  const add = (inner: Json, innerPath: string) => {
    const entries: ReadonlyArray<readonly [string, Json]> = isObject(inner)
      ? Object.entries(inner).map(([key, entry]) => [innerPath === "" ? key : `${innerPath}.${key}`, entry])
      : listIn(inner).map((entry, nth) => {
          const { id, name, value: own } = objectIn(entry)
          return [`${innerPath}[${[id, own, name].find((one) => typeof one === "string") ?? nth}]`, entry]
        })
    if (entries.length === 0) fields.set(innerPath, JSON.stringify(inner))
    for (const [entryPath, entry] of entries) {
      if (isObject(entry) || Array.isArray(entry)) fields.set(entryPath, "")
      add(entry, entryPath)
    }
  }
  add(value, path)
  return fields
}
