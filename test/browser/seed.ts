/** Writes two thousand sessions into a ledger, as a server would have, before the server is started. */
import { Effect } from "effect"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { begin, decide } from "../../machines/decide.ts"
import { sessionMachine } from "../../machines/session/machine.ts"
import type { SessionSnapshot } from "../../machines/session/machine.ts"
import { AppName, SessionId } from "../../src/domain/Ids.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import type { LedgerWrite } from "../../src/ledger/Ledger.ts"
import * as SqliteLedger from "../../src/ledger/SqliteLedger.ts"
import { session, usage } from "../ledger/samples.ts"
import type { Workspace } from "../cli/program.ts"

const apps = ["desk", "shop", "mail"].map((name) => AppName.make(name))
const agents = ["demo", "codex", "claude"]
const hour = 3_600_000

export const idOf = (n: number) => SessionId.make(`ses_${String(n).padStart(24, "0")}`)

export const isClosed = (n: number) => n % 4 === 3

const asleep: SessionSnapshot = begin(sessionMachine, undefined).next
const closed: SessionSnapshot = decide(sessionMachine, asleep, {
  type: "close.requested",
  reason: "no longer needed"
}).next

/** Number 0 is the last active one. All of them were created within a day, so none is old enough to be swept. */
const nth = (n: number, now: number): LedgerWrite => {
  const at = now - n * (hour / 100)
  const isOver = isClosed(n)
  return {
    _tag: "SessionInserted",
    record: session({
      id: idOf(n),
      app: apps[n % apps.length]!,
      agent: agents[n % agents.length]!,
      cwd: `/srv/repo-${n}`,
      ownsCwd: false,
      model: n === 1_234 ? "needle-in-the-hay" : "large",
      meta: n % 16 === 0 ? { title: `Ticket ${n}`, ticket: `T-${n}` } : {},
      state: isOver ? "closed" : "idle",
      substate: isOver ? "closed" : "idle.asleep",
      turnCount: n % 17,
      createdAt: at - 1_000,
      lastActivityAt: at,
      closedAt: isOver ? at : null,
      restarts: n % 50 === 0 ? 1 : 0,
      usage: usage(n * 31)
    }),
    snapshot: sessionMachine.getPersistedSnapshot(isOver ? closed : asleep)
  }
}

export const seed = (workspace: Workspace, count: number): Promise<void> => {
  const dataDir = join(workspace.cwd, ".troupe")
  mkdirSync(dataDir, { mode: 0o700 })
  const now = Date.now()
  return Effect.gen(function* () {
    const ledger = yield* Ledger
    yield* ledger.write(
      apps.map((name): LedgerWrite => ({ _tag: "AppInserted", name, at: now, tokenHash: `none-${name}` }))
    )
    yield* ledger.write(Array.from({ length: count }, (_, n) => nth(n, now)))
  }).pipe(Effect.provide(SqliteLedger.layer(join(dataDir, "troupe.sqlite"))), Effect.scoped, Effect.runPromise)
}
