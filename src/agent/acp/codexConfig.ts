/** The part of codex's configuration that codex-acp hands on for a session (`CODEX_CONFIG`, seen on 2.6). */
import { objectIn } from "../../domain/json.ts"
import type { JsonObject } from "../../domain/json.ts"

/** Codex offers its model a tool for plans only where its configuration says so (0.171). */
const plans = { tools: { update_plan: { enabled: true } } }

/**
 * Codex refuses its model's questions in the default mode without this feature. It is "under development", of which codex
 * would warn with every thread.
 */
const asking = { features: { default_mode_request_user_input: true }, suppress_unstable_features_warning: true }

/** `own`: what the operator has in this variable, which goes first. Where that is no JSON, the adapter says so. */
export const codexConfig = (questions: boolean, own: string | undefined): string => {
  const wanted = questions ? { ...plans, ...asking } : plans
  if (own === undefined || own.trim() === "") return JSON.stringify(wanted)
  try {
    return JSON.stringify(merged(wanted, objectIn(JSON.parse(own))))
  } catch {
    return own
  }
}

const merged = (ours: JsonObject, own: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.keys({ ...ours, ...own }).map((key) => {
      const [our, theirs] = [ours[key], own[key]]
      return [key, isObject(our) && isObject(theirs) ? merged(our, theirs) : key in own ? theirs : our]
    })
  )

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)
