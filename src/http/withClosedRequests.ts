/**
 * The OpenAPI document says `additionalProperties: false` of what is sent to the server, which refuses unknown keys, and
 * not of what the server sends, which may gain keys without breaking a client. Components that nothing refers to are left
 * out.
 *
 * An object without fields of its own is a record in both: without `additionalProperties` generators take it for empty.
 */

type Json = { readonly [key: string]: unknown }

const componentPath = "#/components/schemas/"

/** `document` says it of every object. A component that requests and answers share is there twice, as `XRequest` too. */
export const withClosedRequests = (document: Record<string, unknown>): Record<string, unknown> => {
  const components = ((document["components"] as Json)["schemas"] ?? {}) as Readonly<Record<string, unknown>>
  const operations = mapValues(document["paths"] as Json, (methods) => mapValues(methods as Json, splitOperation))
  const all = Object.values(operations).flatMap((methods) => Object.values(methods))
  const sent = reachable(
    all.map(({ request }) => request),
    components
  )
  const answered = reachable(
    all.map(({ rest }) => rest),
    components
  )
  const nameInRequest = (name: string) => (answered.has(name) ? `${name}Request` : name)
  const closed = (value: unknown) => copy(value, { isClosed: true, nameOf: nameInRequest })
  const open = (value: unknown) => copy(value, { isClosed: false, nameOf: (name) => name })
  const schemas: Record<string, unknown> = {}
  for (const [name, schema] of Object.entries(components)) {
    if (sent.has(name)) schemas[nameInRequest(name)] = closed(schema)
    if (answered.has(name)) schemas[name] = open(schema)
  }
  const paths = mapValues(operations, (methods) =>
    mapValues(methods, ({ request, rest }) => ({
      ...(open(rest) as Json),
      ...(request === undefined ? {} : { requestBody: closed(request) })
    }))
  )
  return { ...document, paths, components: { ...(document["components"] as Json), schemas } }
}

const splitOperation = (operation: unknown) => {
  const { requestBody: request, ...rest } = operation as Json
  return { request, rest }
}

/** The names of all components that these schemas refer to, also by way of another one. */
const reachable = (roots: unknown, components: Readonly<Record<string, unknown>>): ReadonlySet<string> => {
  const names = new Set<string>()
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return
    for (const [key, member] of Object.entries(value)) {
      const name = key === "$ref" ? componentOf(member) : undefined
      if (name === undefined) visit(member)
      else if (!names.has(name)) {
        names.add(name)
        visit(components[name])
      }
    }
  }
  visit(roots)
  return names
}

const copy = (
  value: unknown,
  options: { readonly isClosed: boolean; readonly nameOf: (name: string) => string }
): unknown => {
  if (Array.isArray(value)) return value.map((member) => copy(member, options))
  if (typeof value !== "object" || value === null) return value
  const { type, properties } = value as Json
  const isRecord = type === "object" && properties === undefined
  const result: Record<string, unknown> = isRecord ? { additionalProperties: true } : {}
  for (const [key, member] of Object.entries(value)) {
    const name = key === "$ref" ? componentOf(member) : undefined
    if (name !== undefined) result[key] = componentPath + options.nameOf(name)
    else if (options.isClosed || isRecord || !takesMore(key, member)) result[key] = copy(member, options)
  }
  return result
}

/** Says of an object with fields which others it takes: in a key, or as `StructWithRest` does it. */
const takesMore = (key: string, member: unknown): boolean =>
  key === "additionalProperties" ||
  (key === "allOf" && Array.isArray(member) && member.every((part) => isBare(part as Json)))

const isBare = (schema: Json) => schema["type"] === "object" && schema["properties"] === undefined

const componentOf = (reference: unknown): string | undefined =>
  typeof reference === "string" && reference.startsWith(componentPath)
    ? reference.slice(componentPath.length)
    : undefined

const mapValues = <A, B>(record: Readonly<Record<string, A>>, map: (value: A) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]))
