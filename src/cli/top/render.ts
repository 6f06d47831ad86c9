/** Draws the model as lines: pure, without a terminal or a clock. */
import { age, count, countdown, plural } from "../../inspect/client/format.ts"
import { toneOf } from "../../inspect/client/tones.ts"
import { approvalLines } from "./approvals.ts"
import { cut, fit, fitLine, lineWidth, span, visible } from "./cells.ts"
import type { Line, Span, Style } from "./cells.ts"
import { helpLines, hints } from "./help.ts"
import type { Model } from "./Model.ts"
import { sessionLines } from "./session.ts"
import type { Viewport } from "./Viewport.ts"
import { badge, calledBy, nextOf, signOf, states, styleOf, waitOf } from "./words.ts"

const minimum = { columns: 40, rows: 8 }

/** As many lines as there are rows, each as wide as the terminal. */
export const render = (model: Model, viewport: Viewport): ReadonlyArray<Line> => {
  const { columns, rows } = viewport
  const lines = columns < minimum.columns || rows < minimum.rows ? [[span(tooSmall)]] : whole(model, viewport)
  return Array.from({ length: rows }, (_, n) => fitLine(lines[n] ?? [], columns))
}

const tooSmall = `The terminal is too small: ${minimum.columns}x${minimum.rows} at minimum.`

const whole = (model: Model, viewport: Viewport): ReadonlyArray<Line> => {
  const head = [title(model, viewport), bar(model, viewport.columns)]
  const rows = viewport.rows - head.length - 1
  return [...head, ...fill(body(model, { ...viewport, rows }), rows), foot(model, viewport)]
}

const fill = (lines: ReadonlyArray<Line>, rows: number): ReadonlyArray<Line> =>
  Array.from({ length: rows }, (_, n) => lines[n] ?? [])

const body = (model: Model, viewport: Viewport): ReadonlyArray<Line> => {
  if (model.mode.name === "help") return helpLines
  if (model.mode.name === "approvals") return approvalLines(model, viewport)
  if (!model.showsDetail || model.rows.order.length === 0) return tableLines(model, viewport)
  // A short table takes its lines only; a long one leaves the larger part to the session.
  const most = Math.max(4, Math.floor(viewport.rows * 0.4))
  const rows = Math.min(most, model.rows.order.length + 1)
  return [
    ...fill(tableLines(model, { ...viewport, rows }), rows),
    ...sessionLines(model.opened, { ...viewport, rows: viewport.rows - rows })
  ]
}

const title = ({ me, phase, url }: Model, { columns, now }: Viewport): Line => {
  const who = me === null ? "" : me.admin ? "admin" : `app ${me.app ?? ""}`
  const start: Line = [span(" troupe top ", ["bold", "inverse"]), span(` ${visible(url)}  `), span(who, "bold")]
  const [phaseText, style] = phaseOf(phase, now)
  // The state of the connection is never cut.
  const end: Line = [span(cut(phaseText, columns - 14), style)]
  return [...fitLine(start, Math.max(0, columns - lineWidth(end) - 1)), span(" "), ...end]
}

const phaseOf = (phase: Model["phase"], now: number): readonly [string, Style] => {
  switch (phase.name) {
    case "connecting":
      return ["connecting", "yellow"]
    case "catching-up":
      return ["catching up", "yellow"]
    case "live":
      return ["● live", "green"]
    case "resting":
      return ["paused", "yellow"]
    case "lost":
      return [`connection lost, tries again in ${countdown(phase.retryAt / 1000 - now)}`, "red"]
    case "refused":
      return [`refused: ${phase.problem.title}`, "red"]
  }
}

const bar = ({ approvals, rows }: Model, columns: number): Line => {
  const { counts } = rows.tally
  const sum = states.reduce((total, state) => total + counts[state], 0)
  const width = Math.min(40, Math.max(10, columns - 66))
  // A state with at least one session gets at least one cell.
  const cells = states.map((state) =>
    counts[state] === 0 ? 0 : Math.max(1, Math.floor((counts[state] / sum) * width))
  )
  const used = cells.reduce((total, each) => total + each, 0)
  return [
    ...states.map((state, n): Span => span("█".repeat(cells[n] ?? 0), styleOf(toneOf(state)))),
    span("░".repeat(Math.max(0, width - used)), "dim"),
    ...states.flatMap((state): Line => [
      span(` ${signOf(toneOf(state))} ${state} `, styleOf(toneOf(state))),
      span(count(counts[state]), "bold")
    ]),
    ...(approvals.length === 0
      ? []
      : [span("  "), span(` ${approvals.length} ask (a) `, ["bold", "magenta", "inverse"])])
  ]
}

interface Column {
  readonly head: string
  readonly width: number
  readonly side?: "right"
}

const columnsOf = ({ me }: Model, columns: number) => {
  const isWide = columns >= 120
  const names = isWide ? 16 : 7
  const set = {
    state: { head: "STATE", width: isWide ? 22 : 14 },
    id: { head: "SESSION", width: isWide ? 31 : 12 },
    agent: { head: "AGENT", width: names },
    // An app sees only its own sessions, so the column is left out.
    app: { head: "APP", width: me?.app == null ? names : 0 },
    age: { head: "AGE", width: 4, side: "right" },
    turns: { head: "TURN", width: 4, side: "right" },
    restarts: { head: "RST", width: 3, side: "right" },
    tokens: { head: isWide ? "TOKENS" : "TOK", width: isWide ? 6 : 5, side: "right" }
  } as const satisfies Readonly<Record<string, Column>>
  const used = Object.values(set).reduce((sum, { width }) => sum + (width === 0 ? 0 : width + 1), 0)
  return { ...set, wait: { head: "WAITS FOR", width: Math.max(0, columns - used) } as Column, isWide }
}

/** The head and the rows around the cursor. */
const tableLines = (model: Model, viewport: Viewport): ReadonlyArray<Line> => {
  const { rows, selected } = model
  const { isWide, ...set } = columnsOf(model, viewport.columns)
  const cell = ({ side, width }: Column, text: string): string => (width === 0 ? "" : `${fit(text, width, side)} `)
  const head = Object.values(set).map((column: Column) =>
    cell(column, column.head).slice(0, column === set.wait ? -1 : undefined)
  )
  if (rows.order.length === 0) return [[span(head.join(""), "dim")], [span(emptiness(model), "dim")]]
  const height = viewport.rows - 1
  const at = selected === null ? 0 : Math.max(0, rows.order.indexOf(selected))
  const from = Math.max(0, Math.min(at - Math.floor(height / 2), rows.order.length - height))
  const lines = rows.order.slice(from, from + height).flatMap((id): ReadonlyArray<Line> => {
    const row = rows.row(id)
    if (row === undefined) return []
    const next = nextOf(row, viewport.now, !isWide)
    const wait = fit(visible(waitOf(row, viewport.now, !isWide)), Math.max(0, set.wait.width - next.length - 1))
    const cells = [
      cell(set.id, visible(calledBy(row, !isWide))),
      cell(set.agent, visible(row.agent)),
      cell(set.app, visible(row.app)),
      cell(set.age, age(viewport.now - row.created_at)),
      cell(set.turns, count(row.turns)),
      cell(set.restarts, count(row.restarts)),
      cell(set.tokens, count(row.total_tokens)),
      `${wait} ${next}`
    ]
    const state = cell(set.state, badge(row.substate, !isWide))
    const look = styleOf(toneOf(row.substate))
    return [
      id === selected
        ? [span(state, [look, "inverse"]), span(cells.join(""), "inverse")]
        : [span(state, look), span(cells.join(""), row.state === "closed" ? "dim" : null)]
    ]
  })
  return [[span(head.join(""), "dim")], ...lines]
}

const emptiness = ({ isLoading, problem, rows }: Model): string => {
  if (problem !== null) return visible(problem)
  if (isLoading) return "Asking for the sessions …"
  return rows.filter.q === "" && rows.filter.state === null ? "No sessions yet." : "No session matches the filter."
}

const foot = (model: Model, { columns, now }: Viewport): Line => {
  const { mode, rows, notice: phaseText } = model
  if (mode.name === "filter")
    return [
      span("/", "bold"),
      span(visible(mode.text)),
      span(" ", "inverse"),
      span("  Enter keeps it, Esc does not", "dim")
    ]
  if (mode.name === "confirm")
    return [
      span(` ${confirmations[mode.order]} ${mode.id}? `, ["bold", "yellow", "inverse"]),
      span("  y yes, any other key no")
    ]
  if (phaseText !== null && phaseText.until > now)
    return [span(visible(phaseText.text), phaseText.tone === "good" ? "green" : "red")]
  const { q, state } = rows.filter
  const filtered = [...(state === null ? [] : [state]), ...(q === "" ? [] : [`“${visible(q)}”`])].join(" ")
  const countText = `${plural(rows.tally.count, "session")}${filtered === "" ? "" : ` of ${filtered}`}`
  return [
    ...fitLine([span(hints(mode.name), "dim")], Math.max(0, columns - countText.length - 1)),
    span(` ${countText}`)
  ]
}

const confirmations = { interrupt: "Interrupt the turn of", close: "Close", unpark: "Unpark" } as const
