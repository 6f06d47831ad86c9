/** The OpenAPI document as the sweeps read it: its operations, and a value that a schema takes. */
export interface JsonSchema {
  readonly $ref?: string
  readonly type?: string
  readonly enum?: ReadonlyArray<unknown>
  readonly anyOf?: ReadonlyArray<JsonSchema>
  readonly items?: JsonSchema
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: ReadonlyArray<string>
  readonly additionalProperties?: unknown
  readonly examples?: ReadonlyArray<unknown>
}

export interface Operation {
  readonly parameters?: ReadonlyArray<{ readonly in: string; readonly name: string }>
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: JsonSchema }>> }
  readonly responses: unknown
}

export interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, JsonSchema>> }
}

export const schemasOf = (document: Document) => {
  const resolve = (schema: JsonSchema): JsonSchema =>
    schema.$ref === undefined
      ? schema
      : resolve(document.components.schemas[schema.$ref.replace("#/components/schemas/", "")]!)

  /** A value that the schema takes: its example, or one with all its properties. */
  const valid = (reference: JsonSchema, isWhole = false): unknown => {
    const schema = resolve(reference)
    if (schema.examples?.[0] !== undefined && !isWhole) return schema.examples[0]
    if (schema.enum !== undefined) return schema.enum[0]
    if (schema.anyOf !== undefined) return valid(schema.anyOf.at(-1)!, isWhole)
    switch (schema.type) {
      case "object": {
        const { properties = {}, required = [] } = schema
        const names = isWhole ? Object.keys(properties) : required
        return Object.fromEntries(names.map((name) => [name, valid(properties[name]!, isWhole)]))
      }
      case "array":
        return schema.items === undefined ? [] : [valid(schema.items, isWhole)]
      case "integer":
      case "number":
        return 1
      case "boolean":
        return true
      default:
        return schema.examples?.[0] ?? "text"
    }
  }

  return { resolve, valid }
}

export const operationsOf = ({ paths }: Document) =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      operation
    }))
  )
