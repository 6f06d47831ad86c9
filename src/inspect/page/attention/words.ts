/** What each kind of attention is called, and how it looks. */
import type { AttentionItem } from "../../fleetContract.ts"
import type { Tone } from "../../client/tones.ts"

type Kind = AttentionItem["kind"]

export const kindWords: Readonly<Record<Kind, string>> = {
  circuit: "not started",
  asked: "asks",
  parked: "parked",
  unknown: "outcome unknown",
  failed: "failed",
  silent: "silent",
  queued: "in line"
}

export const toneOfKind: Readonly<Record<Kind, Tone>> = {
  circuit: "parked",
  asked: "asking",
  parked: "parked",
  unknown: "parked",
  failed: "parked",
  silent: "backing",
  queued: "retiring"
}
