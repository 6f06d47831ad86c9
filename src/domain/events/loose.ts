/**
 * Schemas for JSON of which others know more than Troupe: an object keeps the fields that are not named here, and a value
 * of no known form passes as it came.
 */
import { Schema } from "effect"

type Loose<Fields extends Schema.Struct.Fields> = Schema.Codec<
  Schema.Struct.Type<Fields>,
  Schema.Struct.Encoded<Fields>
>

/** An object with these fields. Others are kept, and are not in its type: a misspelt field is an error of the compiler. */
export const loose = <const Fields extends Schema.Struct.Fields>(
  fields: Fields,
  annotations: { readonly identifier?: string; readonly description?: string } = {}
): Loose<Fields> =>
  Schema.StructWithRest(Schema.Struct(fields), [Schema.Record(Schema.String, Schema.Unknown)]).annotate(
    annotations
  ) as unknown as Loose<Fields>

/**
 * The last member of a union: what fits none of the others passes unchanged. It adds nothing to the union's type, because
 * TypeScript has no word for "any other string", and with `string` no `switch` would narrow.
 */
export const anyOther = <const Fields extends Schema.Struct.Fields>(
  fields: Fields,
  annotations: { readonly identifier: string; readonly description: string }
): Schema.Codec<never> => loose(fields, annotations) as unknown as Schema.Codec<never>

/** A field that an agent may leave out or send as `null`. */
export const maybe = <S extends Schema.Constraint>(schema: S) => Schema.optionalKey(Schema.NullOr(schema))

/** A word of ACP; a newer agent may have others. */
export const word = <const Words extends ReadonlyArray<string>>(words: Words) =>
  Schema.Union([Schema.Literals(words), Schema.String])

export const AgentMeta = Schema.Record(Schema.String, Schema.Unknown)
