/** What must hold of what apps were answered, by the agents' own log of prompts and by the ledger. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import type { App } from "./clients.ts"
import { processesOf } from "./processes.ts"
import type { Server } from "./Server.ts"

/** What does not hold of a server that has ended, in sentences: what was lost, repeated or left. */
export const lossesOf = (server: Server, apps: ReadonlyArray<App>): ReadonlyArray<string> => {
  const problems = apps.flatMap(({ faults, session }) => faults.map((fault) => `reader of ${session}: ${fault}`))
  const handed = new Map<string, number>()
  for (const prompt of readFileSync(server.prompts, "utf8").split("\n").filter(Boolean)) {
    handed.set(prompt, (handed.get(prompt) ?? 0) + 1)
  }
  for (const [prompt, times] of handed) if (times > 1) problems.push(`"${prompt}" reached an agent ${times} times`)

  const ledger = new DatabaseSync(join(server.directory, ".troupe", "troupe.sqlite"), { readOnly: true })
  const rows = (text: string, ...params: ReadonlyArray<string>) => ledger.prepare(text).all(...params)
  for (const { last, session, submitted } of apps) {
    const turns = rows("SELECT idx, status, prompt FROM turns WHERE session = ?", session)
    for (const { idx, prompt, status } of turns) {
      if (status === "queued" || status === "running") problems.push(`turn ${idx} of ${session} has no outcome`)
      if (status === "completed" && !handed.has(String(prompt))) problems.push(`"${prompt}" completed without an agent`)
    }
    for (const { key, prompt, turns: answered } of submitted) {
      const stored = turns.filter((turn) => turn["prompt"] === prompt)
      if (stored.length > 1 || answered.size > 1) problems.push(`key ${key} made more than one turn`)
      if (answered.size === 1 && stored.length === 0) problems.push(`the turn of key ${key} was accepted and is lost`)
    }
    const [events] = rows("SELECT count(*) AS count, max(seq) AS last FROM events WHERE session = ?", session)
    if (events?.["count"] !== events?.["last"]) problems.push(`the events of ${session} have a gap`)
    if (events?.["last"] !== last) problems.push(`the reader of ${session} got ${last} of ${events?.["last"]} events`)
  }
  for (const { id } of rows("SELECT id FROM leases")) problems.push(`lease ${id} is open`)
  ledger.close()
  for (const { command, pid } of processesOf(server.run)) problems.push(`process ${pid} is left: ${command}`)
  return problems
}
