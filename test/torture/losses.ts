/** What must hold of what apps were answered, by the agents' own log of prompts and by the ledger. */
import { readFileSync } from "node:fs"
import type { App } from "./clients.ts"
import { rowsOf } from "./ledgerRows.ts"
import { processesOf } from "./processes.ts"
import type { Found } from "./processes.ts"
import type { Server } from "./Server.ts"

/** All that is left of a run whose servers have ended. */
export interface Remains {
  readonly turns: ReadonlyArray<{
    readonly session: string
    readonly idx: number
    readonly status: string
    readonly prompt: string
  }>
  /** Of each session with events: how many there are, and the number of the last. */
  readonly events: ReadonlyArray<{ readonly session: string; readonly count: number; readonly last: number }>
  readonly leases: ReadonlyArray<{ readonly id: string }>
  /** Each prompt that reached an agent, as often as it did. */
  readonly prompts: ReadonlyArray<string>
  readonly processes: ReadonlyArray<Found>
}

export const promptsIn = (file: string): ReadonlyArray<string> => readFileSync(file, "utf8").split("\n").filter(Boolean)

export const remainsOf = ({ directory, prompts, run }: Server): Remains => ({
  turns: rowsOf(directory, "SELECT session, idx, status, prompt FROM turns") as unknown as Remains["turns"],
  events: rowsOf(
    directory,
    "SELECT session, sum(coalesce(last, seq) - seq + 1) AS count, max(coalesce(last, seq)) AS last FROM events GROUP BY session"
  ) as unknown as Remains["events"],
  leases: rowsOf(directory, "SELECT id FROM leases") as unknown as Remains["leases"],
  prompts: promptsIn(prompts),
  processes: processesOf(run)
})

/** What does not hold, in sentences: what was lost, repeated or left. */
export const lossesOf = (remains: Remains, apps: ReadonlyArray<App>): ReadonlyArray<string> => {
  const problems = apps.flatMap(({ faults, session }) => faults.map((fault) => `reader of ${session}: ${fault}`))
  const handed = new Map<string, number>()
  for (const prompt of remains.prompts) handed.set(prompt, (handed.get(prompt) ?? 0) + 1)
  for (const [prompt, times] of handed) if (times > 1) problems.push(`"${prompt}" reached an agent ${times} times`)

  const turnsOf = Map.groupBy(remains.turns, ({ session }) => session)
  const eventsOf = new Map(remains.events.map((row) => [row.session, row]))
  for (const { last, session, submitted } of apps) {
    const turns = turnsOf.get(session) ?? []
    for (const { idx, prompt, status } of turns) {
      if (status === "queued" || status === "running") problems.push(`turn ${idx} of ${session} has no outcome`)
      if (status === "completed" && !handed.has(prompt)) problems.push(`"${prompt}" completed without an agent`)
    }
    for (const { ends, key, prompt, turns: answered } of submitted) {
      const stored = turns.filter((turn) => turn.prompt === prompt)
      if (stored.length > 1 || answered.size > 1) problems.push(`key ${key} made more than one turn`)
      if (answered.size === 1 && stored.length === 0) problems.push(`the turn of key ${key} was accepted and is lost`)
      if (ends.size > 1) problems.push(`key ${key} was answered with ${[...ends].join(" and with ")}`)
    }
    const { count, last: stored } = eventsOf.get(session) ?? { count: 0, last: 0 }
    if (count !== stored) problems.push(`the events of ${session} have a gap`)
    if (stored !== last) problems.push(`the reader of ${session} got ${last} of ${stored} events`)
  }
  for (const { id } of remains.leases) problems.push(`lease ${id} is open`)
  for (const { command, pid } of remains.processes) problems.push(`process ${pid} is left: ${command}`)
  return problems
}
