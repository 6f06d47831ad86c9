/**
 * What a request may name: a table has each parameter of the SDK's type, so that it does not compile where the SDK has one more.
 * A parameter without a counterpart is refused with the reason, unless its value asks for nothing. `null` never does.
 */
import type { JsonObject } from "../../domain/json.ts"
import { badBody, invalid, unknownParameter, unsupported } from "../responses/errors.ts"

type AsksNothing = (value: unknown) => boolean

export const taken = "taken"
type Rule = typeof taken | readonly [why: string, asksNothing: AsksNothing]

export type Parameters<Params> = { readonly [Name in keyof Required<Params>]: Rule }

export const never: AsksNothing = () => false
export const oneOf =
  (...values: ReadonlyArray<unknown>): AsksNothing =>
  (value) =>
    values.includes(value)
export const emptyList: AsksNothing = (value) => Array.isArray(value) && value.length === 0
/** An object of which every field that is there asks for nothing. */
export const fields =
  (known: Readonly<Record<string, AsksNothing>>): AsksNothing =>
  (value) =>
    isObject(value) &&
    Object.entries(value).every(
      ([name, field]) => field === null || (Object.hasOwn(known, name) && known[name]!(field))
    )

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** `at`: the path of the object, where it is not the body. */
export const checkParameters = <Params>(value: unknown, rules: Parameters<Params>, at = ""): JsonObject => {
  if (!isObject(value)) throw at === "" ? badBody("must be a JSON object.") : invalid(at, "must be an object.")
  for (const [name, given] of Object.entries(value)) {
    const path = at === "" ? name.slice(0, 64) : `${at}.${name.slice(0, 64)}`
    if (!Object.hasOwn(rules, name)) {
      throw unknownParameter(path, name, Object.keys(rules))
    }
    const rule = rules[name as keyof Params]
    if (rule === taken || given === null || given === undefined) continue
    if (!rule[1](given)) throw unsupported(path, rule[0])
  }
  return value
}

export const textOrNull = (given: JsonObject, name: string, at = name): string | null => {
  const value = given[name] ?? null
  if (value === null || (typeof value === "string" && value !== "")) return value
  throw invalid(at, "must be text that is not empty.")
}

export const flag = (given: JsonObject, name: string): boolean => {
  const value = given[name] ?? false
  if (typeof value !== "boolean") throw invalid(name, "must be true or false.")
  return value
}

const maxMetadata = 16

export const readMetadata = (value: unknown): Readonly<Record<string, string>> => {
  const metadata = value ?? {}
  if (!isObject(metadata)) throw invalid("metadata", "must be an object.")
  const entries = Object.entries(metadata)
  if (entries.length > maxMetadata) throw invalid("metadata", `may have ${maxMetadata} keys.`)
  for (const [key, text] of entries) {
    if (typeof text === "string" && text.length <= 512 && key.length <= 64) continue
    throw invalid(`metadata.${key.slice(0, 64)}`, "must be text of at most 512 characters, under a key of at most 64.")
  }
  return metadata as Readonly<Record<string, string>>
}
