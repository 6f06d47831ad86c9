/**
 * The wire's spelling: keys are snake_case on the wire and camelCase in the program, times are Unix seconds on the wire and
 * milliseconds in the program. Every body of the API is made with these functions, so no endpoint spells its own.
 */
import { Schema, SchemaTransformation } from "effect"

export type SnakeCase<S extends string> = S extends `${infer Head}${infer Tail}`
  ? `${Head extends Lowercase<Head> ? Head : `_${Lowercase<Head>}`}${SnakeCase<Tail>}`
  : ""

type WithFields = Schema.Constraint & { readonly fields: Schema.Struct.Fields }

/** The type is `S`'s own, the JSON has the same fields under snake_case keys. */
export type Wire<S extends WithFields> = Schema.decodeTo<
  S,
  Schema.Struct<{
    readonly [K in keyof S["fields"] as K extends string ? SnakeCase<K> : never]: Schema.toEncoded<S["fields"][K]>
  }>
>

/** A body whose type is `self`'s and whose JSON has snake_case keys; `identifier` is its name in OpenAPI. */
export const wireOf = <S extends WithFields>(
  self: S,
  identifier: string,
  { description, example }: Documentation = {}
): Wire<S> => {
  const encoded: Record<string, Schema.Constraint> = {}
  const outward: Record<string, string> = {}
  const inward: Record<string, string> = {}
  for (const [key, field] of Object.entries(self.fields)) {
    const name = snakeCase(key)
    encoded[name] = Schema.toEncoded(field)
    outward[key] = name
    inward[name] = key
  }
  const described = description === undefined ? {} : { description }
  return Schema.Struct(encoded)
    .annotate({ identifier, ...described, ...(example === undefined ? {} : { examples: [example] }) })
    .pipe(
      Schema.decodeTo(
        self as unknown as Schema.Codec<Keyed, Keyed>,
        SchemaTransformation.transform({ decode: renamed(inward), encode: renamed(outward) })
      ),
      // Again, because the description of a response is read from here.
      Schema.annotate(described)
    ) as unknown as Wire<S>
}

/** The documentation of a body in OpenAPI; `example` as it is on the wire. */
export interface Documentation {
  readonly description?: string
  readonly example?: Keyed
}

/** `wireOf` for plain fields. */
export const wire = <const Fields extends Schema.Struct.Fields>(
  identifier: string,
  fields: Fields,
  documentation?: Documentation
): Wire<Schema.Struct<Fields>> => wireOf(Schema.Struct(fields), identifier, documentation)

type Keyed = { readonly [key: string]: unknown }

const snakeCase = (key: string) => key.replace(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`)

/** Keys without a new name keep theirs: they are not of the contract, and the schema has let them through. */
const renamed = (names: Readonly<Record<string, string>>) => (value: Keyed) => {
  const result: Record<string, unknown> = {}
  for (const [key, member] of Object.entries(value)) result[names[key] ?? key] = member
  return result
}

/** Marks the text of a whole number for the OpenAPI document, which has it as a number (`documented.ts`). */
export const wholeNumber = "integer"

/** A whole number in a path or a query. */
export const WholeNumber = (description: string, { maximum, minimum }: { minimum: number; maximum?: number }) =>
  Schema.String.annotate({ description, format: wholeNumber, expected: "a whole number" }).pipe(
    Schema.decodeTo(
      Schema.Finite.check(
        Schema.isInt(),
        maximum === undefined ? Schema.isGreaterThanOrEqualTo(minimum) : Schema.isBetween({ minimum, maximum })
      ),
      SchemaTransformation.numberFromString
    )
  )

/** Milliseconds since 1970 in the program, Unix seconds with three decimals on the wire. */
export const Instant = Schema.Finite.annotate({
  description: "Unix seconds, with milliseconds as decimals.",
  examples: [1_700_000_000.123]
}).pipe(
  Schema.decodeTo(
    Schema.Finite,
    SchemaTransformation.transform({ decode: (seconds) => Math.round(seconds * 1000), encode: secondsOf })
  )
)

export function secondsOf(millis: number): number {
  return millis / 1000
}

/** The first key of every answer that is no problem. */
export const Ok = Schema.Literal(true)
