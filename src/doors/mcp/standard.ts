/** Schemas of Effect in the form that the SDK takes: with the words of the HTTP API for what does not fit. */
import { Result, Schema } from "effect"
import type { StandardSchemaWithJSON } from "@modelcontextprotocol/server"
import { schemaProblem } from "../../domain/schemaProblem.ts"

const words = { whole: "The arguments", member: "argument" } as const

/** Takes no keys that it does not know, so that no wish of a host is ignored. */
export const standard = <S extends Schema.ConstraintDecoder<unknown>>(
  schema: S
): StandardSchemaWithJSON<S["Encoded"], S["Type"]> => {
  const decode = Schema.decodeUnknownResult(schema, { errors: "all", onExcessProperty: "error" })
  const { definitions, schema: root } = Schema.toJsonSchemaDocument(schema, { onExcessProperty: "error" })
  const json = { ...root, ...(Object.keys(definitions).length === 0 ? {} : { $defs: definitions }) }
  const asJson = () => json as Record<string, unknown>
  return {
    "~standard": {
      version: 1,
      vendor: "effect",
      validate: (value) => {
        const decoded = decode(value)
        return Result.isSuccess(decoded)
          ? { value: decoded.success }
          : { issues: [{ message: schemaProblem(decoded.failure.issue, words) }] }
      },
      jsonSchema: { input: asJson, output: asJson }
    }
  }
}
