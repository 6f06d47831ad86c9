/** A chart as the page draws it, all of it, in the colours of its light theme: what a state or an arrow means is said where one points at it. */
import { substateWords, toneOf } from "../client/tones.ts"
import { pathData } from "./drawn.ts"
import type { Box, Drawn, Line } from "./drawn.ts"
import { lineHeight } from "./labels.ts"
import type { Placed } from "./labels.ts"
import { colours, labelled } from "./look.ts"
import type { Chart, ChartArrow, ChartState } from "./read.ts"
import { explained } from "./said.ts"

/** `active`: the state that is marked, by its path. */
export const toSvg = (chart: Chart, drawn: Drawn, active: string | null = null): string => {
  const { height, width } = drawn
  const states = new Map(flat(chart.root).map((state) => [state.path, state] as const))
  const arrows = new Map(chart.arrows.map((arrow) => [`${arrow.from} ${arrow.to}`, arrow] as const))
  const isCompound = ({ kind }: Box) => kind === "compound" || kind === "parallel"
  const isIn = (path: string) => active !== null && (active === path || active.startsWith(`${path}.`))
  const look = { isIn, isMarked: active !== null, id: chart.id }
  /** What it means, and what happens in it without leaving it, which is no line. */
  const about = (path: string): ReadonlyArray<string> => {
    const loop = arrows.get(`${path} ${path}`)
    return [states.get(path)?.description ?? "", ...(loop === undefined ? [] : ["Stays there:", ...explained(loop)])]
  }
  const frames = drawn.boxes.filter(isCompound)
  const leaves = drawn.boxes.filter((box) => !isCompound(box))
  const lines = drawn.lines.toSorted((a, b) => Number(isIn(a.from)) - Number(isIn(b.from)))
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${chart.id}-title ${chart.id}-desc" font-family="system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'DejaVu Sans', sans-serif" font-size="12.5" font-weight="500">`,
    `<title id="${chart.id}-title">${escaped(titleOf(chart, active))}</title>`,
    `<desc id="${chart.id}-desc">${escaped(`States: ${leaves.map(({ path }) => path).join(", ")}. ${drawn.lines.length} arrows lead from one to another.\n${about("").join("\n")}`)}</desc>`,
    `<defs>${(["text-dim", "line-faint", "accent"] as const).map((colour) => head(chart.id, colour)).join("")}</defs>`,
    `<rect width="${width}" height="${height}" rx="8" fill="${colours.surface}"/>`,
    ...frames.map((box) => frame(box, about(box.path), look)),
    ...lines.map((line) => drawnLine(line, arrows.get(`${line.from} ${line.to}`), look)),
    ...leaves.map((box) => leaf(box, about(box.path), look)),
    ...labelled(chart, drawn).map((label) => drawnLabel(label, look)),
    "</svg>",
    ""
  ].join("\n")
}

interface Look {
  readonly id: string
  readonly isMarked: boolean
  readonly isIn: (path: string) => boolean
}

const titleOf = ({ id }: Chart, active: string | null): string =>
  active === null ? `The states of the machine ${id}` : `The states of the machine ${id}; it stands in ${active}`

const frame = ({ height, key, path, width, x, y }: Box, about: ReadonlyArray<string>, { isIn }: Look): string => {
  const tone = colours[toneOf(path)]
  const [stroke, text, fill] = isIn(path) ? [tone, tone, 0.09] : [colours["line-strong"], colours["text-dim"], 0.04]
  return `<g class="frame" transform="translate(${x} ${y})">${said([path, ...about])}<rect width="${width}" height="${height}" rx="9" fill="${tone}" fill-opacity="${fill}" stroke="${stroke}"/><text x="14" y="21" fill="${text}" font-weight="600">${escaped(key)}</text></g>`
}

const leaf = (box: Box, about: ReadonlyArray<string>, { isIn }: Look): string => {
  const { height, initial, kind, path, width, x, y } = box
  const tone = colours[toneOf(path)]
  const isActive = isIn(path)
  const ink = isActive ? colours.surface : colours.text
  return [
    `<g class="state${isActive ? " active" : ""}" transform="translate(${x} ${y})">`,
    said([path, ...about]),
    `<rect width="${width}" height="${height}" rx="${kind === "final" ? 3 : 7}" fill="${isActive ? tone : colours.surface}" stroke="${tone}" stroke-width="${isActive ? 2.5 : 1.2}"/>`,
    kind === "final"
      ? `<rect x="3" y="3" width="${width - 6}" height="${height - 6}" rx="2" fill="none" stroke="${isActive ? ink : tone}"/>`
      : "",
    initial ? `<circle cx="9" cy="${height / 2}" r="2.6" fill="${isActive ? ink : colours["text-dim"]}"/>` : "",
    `<text x="${initial ? 17 : 11}" y="${height / 2 + 4.5}" fill="${ink}"${isActive ? ' font-weight="650"' : ""}>${escaped(substateWords(path) || box.key)}</text>`,
    "</g>"
  ].join("")
}

/** Where one state is marked, what leads out of it is in the accent's colour, as on the page. */
const drawnLine = (line: Line, arrow: ChartArrow | undefined, { id, isIn, isMarked }: Look): string => {
  const isNext = isMarked && isIn(line.from)
  const colour = isNext ? "accent" : isMarked ? "line-faint" : "text-dim"
  const dashes = isNext ? ' stroke-dasharray="5 3"' : ""
  return `<g class="arrow">${said([`${line.from} → ${line.to}`, ...(arrow === undefined ? [] : explained(arrow))])}<path d="${pathData(line.points)}" fill="none" stroke="${colours[colour]}" stroke-width="${isNext ? 1.6 : 1.1}"${dashes} marker-end="url(#${id}-${colour})"/></g>`
}

const drawnLabel = ({ line, texts, x, y }: Placed, { isIn, isMarked }: Look): string => {
  const ink = isMarked && isIn(line.from) ? colours.accent : colours["text-dim"]
  const words = texts.map((text, n) => `<text x="5" y="${lineHeight * (n + 1) - 2}">${escaped(text)}</text>`).join("")
  return `<g class="label" transform="translate(${r(x)} ${r(y)})" fill="${ink}" font-size="11.5" paint-order="stroke" stroke="${colours.surface}" stroke-width="4" stroke-linejoin="round" pointer-events="none">${words}</g>`
}

const head = (id: string, colour: keyof typeof colours): string =>
  `<marker id="${id}-${colour}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 .8 7.2 4 0 7.2Z" fill="${colours[colour]}"/></marker>`

const said = (lines: ReadonlyArray<string>): string =>
  `<title>${escaped(lines.filter((line) => line !== "").join("\n"))}</title>`

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;")

const r = (number: number): number => Math.round(number * 10) / 10

const flat = (state: ChartState): ReadonlyArray<ChartState> => [state, ...state.children.flatMap(flat)]
