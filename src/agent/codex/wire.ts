/**
 * Reads the objects of `codex app-server` (0.169) as they come over the wire.
 *
 * Only the fields that Troupe uses are named. A field that is missing or of another type reads as `null` or empty:
 * codex adds and drops fields between releases, and a session should not fail for that.
 */
import { tokensIn } from "../../domain/Turn.ts"
import type { Usage } from "../../domain/Turn.ts"
import { listIn, objectIn, textIn } from "../../domain/json.ts"
import type { JsonObject } from "../../domain/json.ts"

/** An item of a turn. Its `id` is in every notification about it. */
export interface Item extends JsonObject {
  readonly type: string
  readonly id: string
}

/** The item of `item/started` and `item/completed`. */
export const itemIn = (params: JsonObject): Item | null => {
  const item = objectIn(params["item"])
  return typeof item["type"] === "string" && typeof item["id"] === "string" ? (item as Item) : null
}

/** One file of a `fileChange` item. `diff` is the whole text for `add` and `delete`, and unified hunks for `update`. */
export interface Change {
  readonly path: string
  readonly kind: string
  readonly movedTo: string | null
  readonly diff: string
}

export const changesIn = (item: JsonObject): ReadonlyArray<Change> =>
  listIn(item["changes"]).map((value) => {
    const change = objectIn(value)
    const kind = objectIn(change["kind"])
    return {
      path: textIn(change["path"]) ?? "",
      kind: textIn(kind["type"]) ?? "update",
      movedTo: textIn(kind["move_path"]),
      diff: textIn(change["diff"]) ?? ""
    }
  })

/** `total` is cumulative per thread; `last` is that of one model response, or an estimate after a compaction. */
export const usageIn = (value: unknown): Usage => {
  const tokens = objectIn(value)
  return {
    inputTokens: tokensIn(tokens["inputTokens"]),
    cachedInputTokens: tokensIn(tokens["cachedInputTokens"]),
    outputTokens: tokensIn(tokens["outputTokens"]),
    reasoningTokens: tokensIn(tokens["reasoningOutputTokens"]),
    totalTokens: tokensIn(tokens["totalTokens"])
  }
}

/**
 * The command as a person would write it: `echo hi`, where codex sends `/bin/bash -lc 'echo hi'`. codex's own parsing of
 * it (`commandActions`) leaves out the shell.
 */
export const commandIn = (value: JsonObject): string => {
  const parts = listIn(value["commandActions"]).flatMap((action) => textIn(objectIn(action)["command"]) ?? [])
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : (textIn(value["command"]) ?? parts.join("; "))
}

/** ACP's kind of a command: `read` or `search` where all its parts do that, else `execute`. */
export const commandKindIn = (value: JsonObject): "read" | "search" | "execute" => {
  const kinds = listIn(value["commandActions"]).map((action) => textIn(objectIn(action)["type"]) ?? "")
  if (kinds.length === 0 || kinds.some((kind) => !["read", "listFiles", "search"].includes(kind))) {
    return "execute"
  }
  return kinds.includes("search") ? "search" : "read"
}
