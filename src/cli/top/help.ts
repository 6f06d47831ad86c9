/** The help screen and the key hints. */
import { span } from "./cells.ts"
import type { Line } from "./cells.ts"
import type { Mode } from "./Model.ts"

const keys: ReadonlyArray<readonly [key: string, does: string]> = [
  ["↑ ↓  j k", "choose a session"],
  ["PgUp PgDn", "a page up or down; Home and End (g, G) to the first and the last"],
  ["Enter", "open or close the session below the table"],
  ["/", "filter by what the server finds; Esc takes the filter off"],
  ["s", "show one state only, the next one, or all"],
  ["r", "ask for the table anew, the last active first"],
  ["i", "interrupt the turn that runs"],
  ["c", "close the session"],
  ["u", "unpark it, as the admin"],
  ["a", "approvals: o once, s for the session, d deny; a question is answered elsewhere"],
  ["q  Ctrl-C", "quit; nothing happens to any session"]
]

export const helpLines: ReadonlyArray<Line> = [
  [],
  ...keys.map(([key, does]): Line => [span(`  ${key.padEnd(11)}`, "bold"), span(does)]),
  [],
  [span("  In brackets is who owes what is waited for; behind it, what comes by itself.", "dim")]
]

export const hints = (mode: Mode["name"]): string => {
  if (mode === "help") return "any key goes back"
  if (mode === "approvals") return "↑↓ choose  o once  s session  d deny  Esc back"
  return "↑↓ / filter  ⏎ open  i c u act  a asks  ? help  q quit"
}
