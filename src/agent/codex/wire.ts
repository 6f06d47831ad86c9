/**
 * The words of `codex app-server` (0.169) as they come over the wire, read loosely.
 *
 * Only fields that Troupe reads are named. A field that is missing or of another type reads as `null` or empty, since
 * codex adds and drops fields between releases and a session should not die of it. Written by hand, not as schemas:
 * deltas come by the thousand.
 */

import type { Usage } from "../../domain/Turn.ts"
import { listIn, numberIn, objectIn, textIn } from "../../domain/json.ts"
import type { JsonObject } from "../../domain/json.ts"

/** An item of a turn: `type` tells which, `id` names it in every notification about it. */
export interface Item extends JsonObject {
  readonly type: string
  readonly id: string
}

/** The item of `item/started` and `item/completed`. */
export const itemIn = (params: JsonObject): Item | null => {
  const item = objectIn(params["item"])
  return typeof item["type"] === "string" && typeof item["id"] === "string" ? (item as Item) : null
}

/** One file of a `fileChange` item. `diff` is the whole text for `add` and `delete`, unified hunks for `update`. */
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

/** Cumulative per thread (`total`), of one model response (`last`), or an estimate after a compaction (also `last`). */
export const tokensIn = (value: unknown): Usage => {
  const tokens = objectIn(value)
  return {
    inputTokens: numberIn(tokens["inputTokens"]) ?? 0,
    cachedInputTokens: numberIn(tokens["cachedInputTokens"]) ?? 0,
    outputTokens: numberIn(tokens["outputTokens"]) ?? 0,
    reasoningTokens: numberIn(tokens["reasoningOutputTokens"]) ?? 0,
    totalTokens: numberIn(tokens["totalTokens"]) ?? 0
  }
}

/**
 * What a person would call the command: `echo hi`, where codex says `/bin/bash -lc 'echo hi'`. Its own parsing of the
 * command (`commandActions`) has it without the shell around it.
 */
export const commandIn = (value: JsonObject): string => {
  const parts = listIn(value["commandActions"]).flatMap((action) => textIn(objectIn(action)["command"]) ?? [])
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : (textIn(value["command"]) ?? parts.join("; "))
}

/** ACP's kind of a command: it reads or searches only where every part of it does; whatever is unknown executes. */
export const commandKindIn = (value: JsonObject): "read" | "search" | "execute" => {
  const kinds = listIn(value["commandActions"]).map((action) => objectIn(action)["type"])
  if (kinds.length === 0 || kinds.some((kind) => !["read", "listFiles", "search"].includes(String(kind)))) {
    return "execute"
  }
  return kinds.includes("search") ? "search" : "read"
}
