/** Draws the session under the cursor: its machine, why it is in its state, and its last events. */
import { circumstancesOf, sentenceOf } from "../../inspect/detail/why.ts"
import type { Detail } from "../../inspect/sessionContract.ts"
import { age, clockTime, count, countdown, money } from "../../inspect/client/format.ts"
import { isRecord } from "../../inspect/client/content.ts"
import { Transcript, withPrompts } from "../../inspect/client/Transcript.ts"
import type { Item } from "../../inspect/client/Transcript.ts"
import { toneOf } from "../../inspect/client/tones.ts"
import { cut, fitLine, lineWidth, span, visible, wrap } from "./cells.ts"
import type { Line, Style } from "./cells.ts"
import { arrowsFrom, flatChart, treeChart } from "./chart.ts"
import type { OpenedSession } from "./Model.ts"
import type { Viewport } from "./Viewport.ts"
import { badge, styleOf } from "./words.ts"
import { cutStart } from "../../domain/cut.ts"

const widestTree = 24
const longestName = 40
/** From this size on the tree, the arrows and the events stand side by side. */
const wideLayout = { columns: 100, rows: 20 }

/** At most `rows` lines. */
export const sessionLines = (opened: OpenedSession | null, viewport: Viewport): ReadonlyArray<Line> => {
  if (opened === null) return []
  const { detail, problem } = opened
  const problemLine = problem === null ? null : [span(visible(problem), "red")]
  if (detail === null) return [heading(opened, viewport.columns), problemLine ?? [span("Asking for it …", "dim")]]
  const head = [
    titled(detail, viewport),
    ...(problemLine === null ? [] : [problemLine]),
    ...whyLines(detail, lastByteAtOf(opened), viewport)
  ]
  const left = viewport.rows - head.length
  const isWide = viewport.columns >= wideLayout.columns && left >= wideLayout.rows
  return [...head, ...(isWide ? beside(opened, detail, left, viewport) : below(opened, detail, left, viewport))].slice(
    0,
    viewport.rows
  )
}

const heading = ({ id }: OpenedSession, columns: number): Line => [
  span("── ", "dim"),
  span(id, "bold"),
  span(` ${"─".repeat(columns)}`, "dim")
]

const titled = ({ process, session, why }: Detail, { columns, now }: Viewport): Line => {
  const parts = [
    process.pid === null ? `no process (${process.state})` : `pid ${process.pid}`,
    ...(process.up_since === null ? [] : [`up ${age(now - process.up_since)}`]),
    ...(why.queued === 0 ? [] : [`${why.queued} in line`]),
    ...(columns < wideLayout.columns ? [] : [`${count(session.usage.total_tokens)} tokens`]),
    ...(columns < wideLayout.columns || session.cost === null ? [] : [money(session.cost)])
  ]
  const start: Line = [
    span("── ", "dim"),
    span(session.session_id, "bold"),
    ...(session.name === session.session_id ? [] : [span(`  ${cut(visible(session.name), longestName)}`)]),
    span("  "),
    span(badge(session.substate, columns < wideLayout.columns), styleOf(toneOf(session.substate))),
    span(`  ${visible(parts.join(", "))} `, "dim")
  ]
  return [...start, span("─".repeat(Math.max(0, columns - lineWidth(start))), "dim")]
}

/** The agent's last output: an event may be newer than the detail. */
const lastByteAtOf = ({ detail, events }: OpenedSession): number | null => {
  const ofDetail = detail?.why.last_byte_at ?? null
  const ofEvents = events.findLast(({ message }) => isRecord(message) && message["method"] === "session/update")?.at
  return ofDetail === null || ofEvents === undefined ? ofDetail : Math.max(ofDetail, ofEvents)
}

/** Computed here, so that its ages and countdowns advance between two answers of the server. */
const whyLines = (detail: Detail, lastByteAt: number | null, { columns, now, rows }: Viewport): ReadonlyArray<Line> => {
  const sentence = sentenceOf({ ...circumstancesOf(detail, now), lastByteAt })
  return wrap(visible(sentence), columns, rows > 14 ? 3 : 2).map((text) => [span(text)])
}

/** The time that is left of an armed timer. */
const leftOf =
  ({ timers }: Detail, now: number) =>
  (delay: string): string | null => {
    const due = timers.find(({ timer }) => timer === delay)?.due_at
    return due === undefined ? null : due <= now ? "due" : countdown(due - now)
  }

const beside = (opened: OpenedSession, detail: Detail, rows: number, { columns, now }: Viewport) => {
  const { session, turns } = detail
  const tree = treeChart(session.substate)
  const arrows = arrowsFrom(session.substate, leftOf(detail, now))
  const widestArrows = Math.min(Math.max(20, ...arrows.map(lineWidth)) + 2, Math.floor(columns * 0.4))
  const words = columns - widestTree - widestArrows
  const events = eventLines(opened, turns, { columns: words, rows: rows - 1, now })
  const titles: Line = [
    ...fitLine([span("machine", "dim")], widestTree),
    ...fitLine([span(`out of ${session.substate}`, "dim")], widestArrows),
    span("last events", "dim")
  ]
  const lines = Array.from({ length: rows - 1 }, (_, n) => [
    ...fitLine(tree[n] ?? [], widestTree),
    ...fitLine(arrows[n] ?? [], widestArrows),
    ...(events[n] ?? [])
  ])
  return [titles, ...lines]
}

const below = (opened: OpenedSession, detail: Detail, rows: number, { columns, now }: Viewport) => {
  const { session, turns } = detail
  const arrows = arrowsFrom(session.substate, leftOf(detail, now))
  const chart = flatChart(session.substate)
  const left = rows - chart.length
  const shownArrows = arrowRows(arrows, Math.max(1, Math.floor(left / 3)), columns)
  const events = eventLines(opened, turns, { columns, rows: left - shownArrows.length, now })
  return [...chart, ...shownArrows, ...events]
}

/** Puts as many arrows in a line as fit. */
const arrowRows = (arrows: ReadonlyArray<Line>, most: number, columns: number): ReadonlyArray<Line> => {
  const rows: Array<Line> = []
  let row: Line = []
  for (const [nth, arrow] of arrows.entries()) {
    const longer = row.length === 0 ? [span("  "), ...arrow] : [...row, span("   "), ...arrow]
    if (lineWidth(longer) <= columns || row.length === 0) {
      row = longer
      continue
    }
    if (rows.length + 1 === most)
      return [...rows, [...fitLine(row, columns - 9), span(` +${arrows.length - nth} more`, "dim")]]
    rows.push(row)
    row = [span("  "), ...arrow]
  }
  return row.length === 0 ? rows : [...rows, row]
}

/** The newest events that fit, the newest at the bottom. */
const eventLines = (
  { events }: OpenedSession,
  turns: Detail["turns"],
  { columns, now, rows }: Viewport
): ReadonlyArray<Line> => {
  if (rows <= 0) return []
  const transcript = new Transcript()
  transcript.append(events)
  const oldest = events[0]?.at ?? 0
  const items = withPrompts(
    transcript.items,
    turns.filter(({ submitted_at }) => submitted_at >= oldest || events.length === 0)
  )
  const lines: Array<Line> = []
  for (const item of items.slice(-rows).toReversed()) {
    lines.unshift(...itemLines(item, columns, now, Math.min(3, rows)))
    if (lines.length >= rows) break
  }
  return lines.length === 0 ? [[span("Nothing has happened yet.", "dim")]] : lines.slice(-rows)
}

/** Of a message, in characters: it may have grown for minutes, and its end is what is new. */
const longestTail = 600

const itemLines = (item: Item, columns: number, now: number, most: number): ReadonlyArray<Line> => {
  const { style, text, who } = describe(item)
  const time = clockTime(item.until, now)
  const indent = time.length + 11
  const width = Math.max(10, columns - indent)
  const tail = text.length > longestTail ? `…${cutStart(text, longestTail)}` : text
  const wrapped = wrap(visible(tail.trim()), width, 60)
  const lines = item.kind === "message" ? wrapped.slice(-most) : [cut(wrapped.join(" "), width)]
  return lines.map((part, nth) => [
    span(nth === 0 ? `${time} ${who.padEnd(9)} ` : " ".repeat(indent), "dim"),
    span(part, style)
  ])
}

const describe = (item: Item): { readonly who: string; readonly text: string; readonly style: Style | null } => {
  switch (item.kind) {
    case "prompt":
      return { who: "prompt", text: item.text, style: "bold" }
    case "message":
      return { who: "agent", text: item.text, style: null }
    case "thought":
      return { who: "thinks", text: item.text, style: "dim" }
    case "tool":
      return { who: "tool", text: `${item.title} (${item.status.replaceAll("_", " ")})`, style: "cyan" }
    case "plan":
      return { who: "plan", text: item.entries.map(({ text }) => text).join("; "), style: null }
    case "state":
      return { who: "state", text: `${item.from} → ${item.to}  ${item.event}`, style: styleOf(toneOf(item.to)) }
    case "end":
      return { who: "turn", text: item.ok ? `ended: ${item.text}` : item.text, style: item.ok ? "green" : "red" }
    case "other":
      return { who: "news", text: `${item.what} ${item.text}`, style: "dim" }
    case "usage":
      return { who: "news", text: `usage ${item.text}`, style: "dim" }
  }
}
