/**
 * Refuses options that do not exist, in the words of the HTTP API: a program without types that asks for
 * `{ permission: "ask" }` would get the default without a word. Values are checked where they are used.
 */
import { unknownMember } from "../domain/schemaProblem.ts"
import { TroupeError } from "../backend/TroupeError.ts"

/** The names of an object's keys: `true` where the value may be anything, else the names of its own keys. */
export interface Names {
  readonly [key: string]: true | Names | EachOf
}

/** Of a list, or of an object whose keys are free. */
export interface EachOf {
  readonly each: Names
}

/** All keys of `Options`: it does not compile while one is missing. */
export type NamesOf<Options> = { readonly [K in keyof Required<Options>]: true | Names | EachOf }

const isEach = (names: Names | EachOf): names is EachOf => typeof names["each"] === "object"

/** Throws a `TroupeError` with the path of the first key that does not exist. */
export const checkOptions = (options: unknown, names: Names, within = ""): void => {
  if (typeof options !== "object" || options === null) return
  for (const [key, value] of Object.entries(options)) {
    const inner = Object.hasOwn(names, key) ? names[key] : undefined
    // A key without a value asks for nothing.
    if (inner === true || value === undefined) continue
    if (inner === undefined) throw unknownOption(key, Object.keys(names), within)
    const path = `${within}${key}`
    if (!isEach(inner)) checkOptions(value, inner, `${path}.`)
    else if (typeof value === "object" && value !== null) {
      for (const [name, member] of Object.entries(value)) {
        checkOptions(member, inner.each, Array.isArray(value) ? `${path}[${name}].` : `${path}.${name}.`)
      }
    }
  }
}

const unknownOption = (key: string, names: ReadonlyArray<string>, within: string) => {
  const { field, problem } = unknownMember(key, names, "option")
  return new TroupeError({ code: "invalid_request", status: 400, message: `${within}${field} ${problem}` })
}

/** The keys of a schema's fields, whose values may be anything. */
export const keysOf = (fields: object): Readonly<Record<string, true>> =>
  Object.fromEntries(Object.keys(fields).map((key) => [key, true]))
