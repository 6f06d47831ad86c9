/** What a printed chart has of the page: its colours, and its words at the lines. */
import { wordsOfEvent } from "../client/machineWords.ts"
import type { Tone } from "../client/tones.ts"
import type { Drawn } from "./drawn.ts"
import { placeLabels } from "./labels.ts"
import type { Placed } from "./labels.ts"
import type { Chart } from "./read.ts"
import { written } from "./said.ts"

/** The page's, in its light theme (`page/styles/tokens.css`; a test compares them). */
export const colours = {
  surface: "#ffffff",
  text: "#1a1e26",
  "text-dim": "#535b69",
  "line-strong": "#c5ccd6",
  "line-faint": "#87909d",
  accent: "#4355c8",
  idle: "#2f649b",
  turning: "#17724a",
  queued: "#6b5d00",
  asking: "#7f37aa",
  retiring: "#8a5200",
  backing: "#9a4a12",
  parked: "#b42a2a",
  closed: "#5b6472"
} as const satisfies Readonly<Record<Tone, string>> & Readonly<Record<string, string>>

/** Of a few arrows all is written; of many what comes first, and where it covers little. */
const isFew = ({ lines }: Drawn): boolean => lines.length <= 24

/** Labels beside the lines, where they cover least. */
export const labelled = ({ arrows }: Chart, drawn: Drawn): ReadonlyArray<Placed> => {
  const of = new Map(arrows.map((arrow) => [`${arrow.from} ${arrow.to}`, arrow] as const))
  const wanted = drawn.lines.flatMap((line) => {
    const arrow = of.get(`${line.from} ${line.to}`)
    const texts = arrow === undefined ? [] : written(arrow, isFew(drawn) ? 4 : 1, wordsOfEvent)
    return texts.length === 0 ? [] : [{ line, texts }]
  })
  return placeLabels(wanted, drawn.boxes, drawn, { isAll: isFew(drawn) })
}
