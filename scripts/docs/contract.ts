/** What the HTTP contract says: the routes, and the events of a session's stream with their fields. */
import { OpenApi } from "effect/http-api"
import { Api } from "../../src/http/Api.ts"
import { code, table } from "./blocks.ts"

/** A part of a JSON Schema, as far as it is read here. */
interface Part {
  readonly $ref?: string
  readonly type?: string | ReadonlyArray<string>
  readonly enum?: ReadonlyArray<unknown>
  readonly const?: unknown
  readonly anyOf?: ReadonlyArray<Part>
  readonly oneOf?: ReadonlyArray<Part>
  readonly items?: Part
  readonly properties?: Readonly<Record<string, Part>>
  readonly required?: ReadonlyArray<string>
  readonly description?: string
}

const document = OpenApi.fromApi(Api)
const schemas = document.components.schemas as Readonly<Record<string, Part>>

const schema = (name: string): Part => {
  const found = schemas[name]
  if (found === undefined) throw new Error(`The OpenAPI document has no schema ${name}.`)
  return found
}

const literals = (part: Part): ReadonlyArray<unknown> => part.enum ?? (part.const === undefined ? [] : [part.const])

const typeOf = (part: Part): string => {
  if (part.$ref !== undefined) return code(part.$ref.split("/").at(-1) ?? "")
  const words = literals(part)
  if (words.length > 0) return words.map((word) => code(JSON.stringify(word))).join(", ")
  const members = part.anyOf ?? part.oneOf
  if (members !== undefined) {
    const all = members.map(typeOf)
    // A newer agent may have words that are not listed: "or any text" says no more than the words alone.
    return all
      .filter((each, index) => all.indexOf(each) === index && !(each === "string" && all[0]?.startsWith('`"')))
      .join(" or ")
  }
  if (part.type === "array") return `list of ${part.items === undefined ? "anything" : typeOf(part.items)}`
  if (typeof part.type === "string") return part.type
  return Array.isArray(part.type) ? part.type.join(" or ") : "anything"
}

const fieldsOf = (part: Part, leftOut: ReadonlyArray<string>): string =>
  table(
    ["field", "type", ""],
    Object.entries(part.properties ?? {})
      .filter(([name]) => !leftOut.includes(name))
      .map(([name, field]) => [
        `${code(name)}${part.required?.includes(name) === true ? "" : " (optional)"}`,
        typeOf(field),
        field.description ?? ""
      ])
  )

const membersOf = (part: Part): ReadonlyArray<string> =>
  (part.anyOf ?? part.oneOf ?? []).flatMap(({ $ref }) => $ref?.split("/").at(-1) ?? [])

/** Told apart by `method`; a reply has none. */
const messages = membersOf(schema("EventMessage")).map((name) => ({ name, schema: schema(name) }))
const methodOf = (part: Part) => literals(part.properties?.["method"] ?? {})[0]

const troupeMessages = messages.filter(({ schema }) => String(methodOf(schema)).startsWith("_troupe/"))
const replies = messages.filter(({ name, schema }) => methodOf(schema) === undefined && name !== "OtherMessage")

const troupeSection = ({ schema: part }: (typeof messages)[number]): string => {
  const params = part.properties?.["params"] ?? {}
  const [phase] = literals(params.properties?.["phase"] ?? {})
  const title = `${code(String(methodOf(part)))}${phase === undefined ? "" : `, \`phase\` ${code(String(phase))}`}`
  return [`### ${title}`, part.description ?? "", fieldsOf(params, ["_meta", "phase"])].join("\n\n")
}

const replySection = ({ name, schema: part }: (typeof messages)[number]): string => {
  const key = part.properties?.["result"] === undefined ? "error" : "result"
  return [`### ${code(name)}`, part.description ?? "", fieldsOf(part.properties?.[key] ?? {}, [])].join("\n\n")
}

const updates = membersOf(schema("SessionUpdate"))
  .map(schema)
  .flatMap((part) => {
    const [kind] = literals(part.properties?.["sessionUpdate"] ?? {})
    return kind === undefined ? [] : [{ kind: String(kind), part }]
  })

interface Operation {
  readonly summary?: string
}

const routes = Object.entries(document.paths).flatMap(([path, operations]) =>
  Object.entries(operations as Readonly<Record<string, Operation>>).map(([method, { summary }]) => [
    code(`${method.toUpperCase()} ${path}`),
    summary ?? ""
  ])
)

export const eventBlocks = {
  meta: fieldsOf(schema("EventMeta"), []),
  troupe: troupeMessages.map(troupeSection).join("\n\n"),
  updates: updates
    .map(({ kind, part }) =>
      [`### ${code(kind)}`, part.description ?? "", fieldsOf(part, ["sessionUpdate", "_meta"])]
        .filter((each) => each !== "")
        .join("\n\n")
    )
    .join("\n\n"),
  replies: replies.map(replySection).join("\n\n")
}

export const routeBlocks = { routes: table(["request", ""], routes) }
