/** Draws the pending approvals: all of them as a list, the chosen one whole; of a question, what it wants to know. */
import type { Approval } from "../../inspect/contract.ts"
import { age, countdown } from "../../inspect/client/format.ts"
import { pretty } from "../../inspect/client/content.ts"
import { fit, span, visible, wrap } from "./cells.ts"
import type { Line } from "./cells.ts"
import type { Model } from "./Model.ts"
import type { Viewport } from "./Viewport.ts"
import { calledBy } from "./words.ts"

export const approvalLines = ({ approval, approvals }: Model, viewport: Viewport): ReadonlyArray<Line> => {
  if (approvals.length === 0) return [[], [span("  Nothing waits for an answer.", "dim")]]
  const height = Math.max(1, Math.min(approvals.length, Math.floor(viewport.rows / 2)))
  const at = Math.max(
    0,
    approvals.findIndex(({ approval_id }) => approval_id === approval)
  )
  const from = Math.max(0, Math.min(at - Math.floor(height / 2), approvals.length - height))
  const chosen = approvals.find(({ approval_id }) => approval_id === approval)
  return [
    ...approvals.slice(from, from + height).map((one) => listed(one, one === chosen, viewport)),
    [span("─".repeat(viewport.columns), "dim")],
    ...(chosen === undefined
      ? [[span("  Choose one with ↑ and ↓ to see the whole of it, and to answer.", "dim")]]
      : opened(chosen, viewport.columns, viewport.rows - height - 1))
  ]
}

const listed = (one: Approval, isChosen: boolean, { columns, now }: Viewport): Line => {
  const text = `${fit(visible(calledBy({ name: one.name ?? one.session_id, session_id: one.session_id }, true)), 16)} ${fit(visible(one.agent), 9)} ${fit(visible(one.kind), 8)} ${age(now - one.created_at).padStart(4)} ${visible(one.title)}`
  const until = ` ${countdown(one.deadline_at - now)}`
  return [span(fit(text, columns - until.length) + until, isChosen ? "inverse" : null)]
}

/** More lines than any terminal shows. */
const mostRead = 200

/** Line by line, as a command or a diff is read; the last line says how many lines are not shown. */
const opened = (
  { fields, raw, session_id, title, turn }: Approval,
  columns: number,
  rows: number
): ReadonlyArray<Line> => {
  const head: ReadonlyArray<Line> = [
    [span(`${session_id}, turn ${turn}`, "dim")],
    ...wrap(visible(title), columns, 3).map((text): Line => [span(text, "bold")])
  ]
  const all = fields === null ? pretty(raw).split("\n") : questionLines(fields)
  const lines = all.slice(0, mostRead).flatMap((line) => wrap(visible(line), columns, 20))
  const viewport = rows - head.length
  const visibleLines = lines.length > viewport ? lines.slice(0, Math.max(0, viewport - 1)) : lines
  const left = lines.length - visibleLines.length + Math.max(0, all.length - mostRead)
  return [
    ...head,
    ...visibleLines.map((text): Line => [span(text)]),
    ...(left === 0 ? [] : [[span(`… and ${left} more lines; the dashboard has all of it`, "yellow")]])
  ]
}

/** A form is too much for this screen, so it says where there is one. */
export const answerElsewhere = "Answer it in the dashboard, in troupe chat or over HTTP; d declines it."

const questionLines = (fields: NonNullable<Approval["fields"]>): ReadonlyArray<string> => [
  fields.length === 0 ? "It has no fields: o answers it, d declines it." : answerElsewhere,
  ...fields.flatMap(({ description, label, options = [], other, required, type }) => [
    `${label} (${type}${required ? "" : ", optional"})${description === undefined ? "" : ` ${description}`}`,
    ...options.map(
      (option) => `  · ${option.label}${option.description === undefined ? "" : `: ${option.description}`}`
    ),
    ...(other === true && options.length > 0 ? ["  · or anything else"] : [])
  ])
]
