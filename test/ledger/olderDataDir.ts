/** The data dir of an earlier version, whose Troupe was killed at work (`fixtures/ledger`): one session in each state. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"

/** In milliseconds since 1970. */
export const killedAt = 1_795_864_043_945

const dump = readFileSync(new URL("../fixtures/ledger/killed-0.1.0.sql", import.meta.url), "utf8")

/** A data dir with the stored ledger, the directories of its sessions, and what the demo agent remembers of them. */
export const dataDirIn = (home: string, dataDir = join(home, "troupe")): string => {
  mkdirSync(join(dataDir, "demo"), { recursive: true })
  const db = new DatabaseSync(join(dataDir, "troupe.sqlite"), { enableForeignKeyConstraints: false })
  db.exec(dump.replaceAll("/srv/", `${home}/`))
  for (const { cwd } of db.prepare("SELECT cwd FROM session_requests").all()) {
    mkdirSync(String(cwd), { recursive: true })
  }
  const prompts = db.prepare(
    `SELECT sessions.thread_id, prompt FROM turns JOIN sessions ON id = session WHERE sessions.thread_id IS NOT NULL ORDER BY idx`
  )
  for (const { prompt, thread_id: thread } of prompts.all()) {
    writeFileSync(join(dataDir, "demo", `${String(thread)}.ndjson`), `${JSON.stringify({ user: prompt })}\n`, {
      flag: "a"
    })
  }
  db.close()
  return dataDir
}
