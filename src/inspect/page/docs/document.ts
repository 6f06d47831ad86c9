/** The OpenAPI document as this page reads it. Troupe makes it, so it has what is named here and no other forms. */

export interface Schema {
  readonly $ref?: string
  readonly type?: string
  readonly description?: string
  readonly format?: string
  readonly enum?: ReadonlyArray<unknown>
  readonly anyOf?: ReadonlyArray<Schema>
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: ReadonlyArray<string>
  readonly additionalProperties?: Schema | boolean
  readonly examples?: ReadonlyArray<unknown>
}

export interface Parameter {
  readonly name: string
  readonly in: "path" | "query" | "header"
  readonly required: boolean
  readonly schema: Schema
}

type Content = Readonly<Record<string, { readonly schema: Schema }>>

export interface Answer {
  readonly description: string
  readonly content?: Content
  readonly headers?: Readonly<Record<string, { readonly description?: string }>>
}

export interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly description?: string
  readonly tags: ReadonlyArray<string>
  readonly parameters: ReadonlyArray<Parameter>
  readonly security: ReadonlyArray<unknown>
  readonly requestBody?: { readonly content: Content }
  readonly responses: Readonly<Record<string, Answer>>
}

export interface ApiDocument {
  readonly info: { readonly title: string; readonly description: string }
  readonly tags: ReadonlyArray<{ readonly name: string; readonly description: string }>
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

export interface Endpoint {
  readonly method: string
  readonly path: string
  readonly operation: Operation
}

export const endpointsOf = ({ paths }: ApiDocument): ReadonlyArray<Endpoint> =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation }))
  )

export const nameOf = ({ $ref }: Schema): string | undefined => $ref?.slice("#/components/schemas/".length)

export const resolved = (document: ApiDocument, schema: Schema): Schema =>
  schema.$ref === undefined ? schema : resolved(document, document.components.schemas[nameOf(schema)!] ?? {})

/** A body to begin with: the schema's example, or its required fields. */
export const exampleOf = (document: ApiDocument, reference: Schema): unknown => {
  const schema = resolved(document, reference)
  if (schema.examples?.[0] !== undefined) return schema.examples[0]
  if (schema.enum !== undefined) return schema.enum[0]
  if (schema.anyOf?.[0] !== undefined) return exampleOf(document, schema.anyOf[0])
  switch (schema.type) {
    case "object": {
      const { properties = {}, required = [] } = schema
      return Object.fromEntries(required.map((name) => [name, exampleOf(document, properties[name] ?? {})]))
    }
    case "array":
      return []
    case "integer":
    case "number":
      return 1
    case "boolean":
      return true
    default:
      return ""
  }
}

/** What a schema takes, in a word or two. */
export const typeOf = (document: ApiDocument, schema: Schema): string => {
  const name = nameOf(schema)
  if (name !== undefined) {
    const whole = resolved(document, schema)
    return whole.type === "object" || whole.anyOf !== undefined ? name : typeOf(document, whole)
  }
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(" | ")
  if (schema.anyOf !== undefined) return schema.anyOf.map((member) => typeOf(document, member)).join(" | ")
  if (schema.type === "array") return `[${typeOf(document, schema.items ?? {})}]`
  if (schema.type === "object" && typeof schema.additionalProperties === "object") {
    return `{ name: ${typeOf(document, schema.additionalProperties)} }`
  }
  return schema.format === "binary" ? "file" : (schema.type ?? "any JSON")
}

/** The schemas with fields of their own that one leads to: itself, the members of a union, what a list has. */
export const objectsIn = (document: ApiDocument, reference: Schema): ReadonlyArray<Schema> => {
  const schema = resolved(document, reference)
  if (schema.anyOf !== undefined) return schema.anyOf.flatMap((member) => objectsIn(document, member))
  if (schema.type === "array" && schema.items !== undefined) return objectsIn(document, schema.items)
  return schema.properties === undefined ? [] : [reference]
}
