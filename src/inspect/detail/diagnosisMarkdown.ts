/**
 * A diagnosis as text: for the terminal, for an issue, or for another agent that is to help. It has no prompt, no answer and no
 * path of the session's directory; a tool's title, commands and the last line of stderr are the agent's words.
 */
import type { Detail, Diagnosis } from "../sessionContract.ts"
import { age } from "./age.ts"

export const markdownOf = (
  { budget, owed, process, processes, session, timers, why }: Detail,
  {
    last_stderr_line,
    processes: tree,
    silence,
    verdict
  }: Pick<Diagnosis, "last_stderr_line" | "processes" | "silence" | "verdict">,
  /** In seconds. */
  now: number
): string => {
  const { wait } = why
  const lastEnd = processes.findLast(({ ended_at }) => ended_at !== null)
  const facts: ReadonlyArray<readonly [name: string, value: string | null]> = [
    ["State", `\`${session.substate}\`, for ${age(now - wait.since)}`],
    ["Agent", `${session.agent}${session.model === null ? "" : `, model ${session.model}`}, app ${session.app}`],
    ["Node", session.node],
    ["Who can bring it on", wait.who],
    [
      "By itself",
      wait.next === null
        ? null
        : `${wait.next.timer} ${wait.next.at <= now ? "is due" : `in ${age(wait.next.at - now)}`}${wait.next.to === null ? "" : `, to \`${wait.next.to}\``}`
    ],
    [
      "Silence",
      silence === null
        ? null
        : `${age(silence.seconds)}${silence.usual_seconds === null ? "" : `; usually at most ${age(silence.usual_seconds)}`}`
    ],
    [
      "Process",
      process.pid === null
        ? process.state
        : `${process.pid}${process.up_since === null ? "" : `, up ${age(now - process.up_since)}`}`
    ],
    ["Restarts left", `${budget.left} of ${budget.intensity}`],
    [
      "Last process that ended",
      lastEnd === undefined || lastEnd.ended_at === null
        ? null
        : `${age(now - lastEnd.ended_at)} ago: ${lastEnd.exit ?? "it ended"}`
    ],
    [
      "Timers",
      timers.length === 0
        ? null
        : timers
            .map(({ due_at, timer }) => `${timer} ${due_at <= now ? "is due" : `in ${age(due_at - now)}`}`)
            .join(", ")
    ],
    ["Not carried out yet", owed.length === 0 ? null : owed.map(({ type }) => type).join(", ")],
    ["Last line of stderr", last_stderr_line === "" ? null : last_stderr_line]
  ]
  return [
    `# ${session.session_id}`,
    "",
    verdict,
    ...(why.sentence === verdict ? [] : ["", why.sentence]),
    "",
    ...facts.flatMap(([name, value]) => (value === null ? [] : [`- ${name}: ${oneLine(value)}`])),
    ...(tree.length === 0 ? [] : ["", ...tableOf(tree)]),
    ""
  ].join("\n")
}

/** Of the code block and of the list: text of an agent ends neither. */
const oneLine = (text: string): string => text.replaceAll(/\s+/g, " ").trim()

const tableOf = (tree: Diagnosis["processes"]): ReadonlyArray<string> => {
  const rows = tree.map(({ command, cpu, pid, ppid, rss_bytes, state, waits_for }) => [
    String(pid),
    String(ppid),
    state,
    cpu === null ? "?" : `${Math.round(cpu * 100)} %`,
    `${Math.round(rss_bytes / 1_048_576)} MiB`,
    oneLine(command).slice(0, 80),
    waits_for ?? ""
  ])
  const all = [["PID", "PPID", "ST", "CPU", "RSS", "COMMAND", "WAITS FOR"], ...rows]
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? []
  return all.map((row) => `    ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd())
}
