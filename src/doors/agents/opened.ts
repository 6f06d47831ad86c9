/** What a session that was opened here keeps of its opening, in its `meta`. */
import type { SessionInfo } from "../../backend/Backend.ts"
import { objectIn } from "../../domain/json.ts"
import type { JsonRecord } from "../../domain/json.ts"

export interface Opened {
  readonly metadata: Readonly<Record<string, string>>
  readonly environment: "none" | "self_hosted"
  /** The JSON Schema that the answer of each turn has; `null`: it is text. */
  readonly schema: JsonRecord | null
}

const key = "agents_api"

export const metaOf = (opened: Opened): JsonRecord => ({ [key]: opened as unknown as JsonRecord })

/** Of a session that came into being in another way, there is nothing. */
export const openedOf = ({ meta }: Pick<SessionInfo, "meta">): Opened => {
  const { environment, metadata, schema } = objectIn(meta[key])
  return {
    metadata: objectIn(metadata) as Opened["metadata"],
    environment: environment === "none" ? "none" : "self_hosted",
    schema: typeof schema === "object" && schema !== null ? (schema as JsonRecord) : null
  }
}
