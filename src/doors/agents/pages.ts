/** Lists as the SDK pages through them: by the id of the last one that a page had. */
import { invalid, unknownParameter } from "../responses/errors.ts"

const defaultLimit = 20
const maxLimit = 100

export interface PageRequest {
  /** The id of the last one of the page before; `null`: from the beginning. */
  readonly after: string | null
  readonly limit: number
  readonly order: "asc" | "desc"
}

const own = ["after", "limit", "order"]

/** `others`: further parameters, as patterns of their names. */
export const readPage = (query: URLSearchParams, ...others: ReadonlyArray<RegExp>): PageRequest => {
  checkQuery(query, own, others)
  const limit = query.get("limit")
  const order = query.get("order") ?? "desc"
  if (order !== "asc" && order !== "desc") throw invalid("order", "must be asc or desc.")
  if (limit !== null && !/^([1-9]\d?|100)$/.test(limit))
    throw invalid("limit", `must be a whole number from 1 to ${maxLimit}.`)
  return { after: query.get("after"), limit: limit === null ? defaultLimit : Number(limit), order }
}

export const checkQuery = (
  query: URLSearchParams,
  known: ReadonlyArray<string>,
  others: ReadonlyArray<RegExp> = []
): void => {
  for (const name of query.keys()) {
    if (known.includes(name) || others.some((pattern) => pattern.test(name))) continue
    throw unknownParameter(name.slice(0, 64), name, known, " of this request")
  }
}

export const page = <A extends { readonly id: string | null }>(data: ReadonlyArray<A>, hasMore: boolean): Response =>
  Response.json({
    object: "list",
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: hasMore
  })

export interface Chosen<A> {
  readonly shown: ReadonlyArray<A>
  readonly hasMore: boolean
}

/** Of what is all there: the page behind `after`. */
export const choose = <A extends { readonly id: string }>(
  ascending: ReadonlyArray<A>,
  { after, limit, order }: PageRequest
): Chosen<A> => {
  const all = order === "asc" ? ascending : ascending.toReversed()
  const from = after === null ? 0 : all.findIndex(({ id }) => id === after) + 1
  if (after !== null && from === 0) throw wrongAfter(after)
  return { shown: all.slice(from, from + limit), hasMore: all.length > from + limit }
}

export const wrongAfter = (after: string) =>
  invalid("after", `must be the id of one of these, as a page has it: ${JSON.stringify(after.slice(0, 100))} is none.`)
