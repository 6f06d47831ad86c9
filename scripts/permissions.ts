/**
 * `npm run permissions`: brings the tables of docs/permissions.md up to date with `src/domain/permissionTable.ts`. A test
 * holds the page to them.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { actions, agents, words } from "../src/domain/permissionTable.ts"
import type { AgentRows, Cell, Kept, Row } from "../src/domain/permissionTable.ts"
import { PermissionPolicy } from "../src/domain/Permissions.ts"

const page = join(import.meta.dirname, "..", "docs", "permissions.md")

const cellNames: Readonly<Record<Cell, string>> = {
  happens: "happens",
  asked: "asked",
  refused: "–",
  reads: "reads only",
  reads_or_asked: "reads only, else asked"
}

const tableOf = (head: string, rows: ReadonlyArray<readonly [string, Row]>): string =>
  [
    `| ${[head, ...actions].join(" | ")} |`,
    `|${"---|".repeat(actions.length + 1)}`,
    ...rows.map(([name, row]) => `| ${[name, ...row.map((cell) => cellNames[cell])].join(" | ")} |`)
  ].join("\n")

const rowsOf = ({ rows }: AgentRows): ReadonlyArray<readonly [string, Kept]> =>
  PermissionPolicy.literals.map((word) => [`\`${word}\``, rows[word]])

const isRow = (entry: readonly [string, Kept]): entry is readonly [string, Row] => !("problem" in entry[1])

const agentSection = (agent: AgentRows): string => {
  const entries = rowsOf(agent)
  const kept = entries.filter(isRow)
  const refused = entries.flatMap(([word, how]) => ("problem" in how ? [`- ${word} is refused: ${how.problem}`] : []))
  return [
    `### ${agent.title}`,
    agent.known,
    ...(kept.length === 0 ? [] : [tableOf("word", kept)]),
    [...refused, ...agent.notes.map((note) => `- ${note}`)].join("\n")
  ]
    .filter((part) => part !== "")
    .join("\n\n")
}

/** By the name of the block that each stands in. */
export const blocks: Readonly<Record<string, string>> = {
  words: [
    ...PermissionPolicy.literals.map((word) => `- \`${word}\`: ${words[word].meaning}`),
    "",
    tableOf(
      "word",
      PermissionPolicy.literals.map((word) => [`\`${word}\``, words[word].row])
    )
  ].join("\n"),
  agents: Object.values<AgentRows>(agents).map(agentSection).join("\n\n")
}

/** The page with its blocks filled in. */
export const filled = (text: string): string =>
  Object.entries(blocks).reduce((sofar, [name, block]) => {
    const [begin, end] = [`<!-- ${name}: generated -->`, `<!-- end of ${name} -->`]
    const [from, to] = [sofar.indexOf(begin), sofar.indexOf(end)]
    if (from < 0 || to < from) throw new Error(`docs/permissions.md has no block ${name}.`)
    return `${sofar.slice(0, from + begin.length)}\n\n${block}\n\n${sofar.slice(to)}`
  }, text)

export const isUpToDate = (): boolean => {
  const text = readFileSync(page, "utf8")
  return filled(text) === text
}

if (import.meta.main) writeFileSync(page, filled(readFileSync(page, "utf8")))
