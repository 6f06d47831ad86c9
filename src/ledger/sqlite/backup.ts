/**
 * A copy of a ledger's file while a Troupe works on it, and what a file has in it.
 *
 * The copy is one snapshot (`VACUUM INTO`, which reads in one transaction): a writer goes on beside it, and a copy in steps
 * would begin anew with each of its commits.
 */
import { Effect, Schema } from "effect"
import { closeSync, fsyncSync, linkSync, openSync, rmSync, statSync } from "node:fs"
import { DatabaseSync } from "./nodeSqlite.ts"
import { LedgerUnusable } from "../LedgerError.ts"
import * as Damage from "./damage.ts"
import { latestVersion, migrationsTable } from "./migrations.ts"

/** There is something where the copy is to be. */
export class BackupExists extends Schema.TaggedError<BackupExists>()("BackupExists", { file: Schema.String }) {
  override get message() {
    return `${this.file} is there already. Name another, or remove it.`
  }
}

export interface LedgerContents {
  readonly version: number
  readonly latestVersion: number
  readonly sessions: number
  readonly openSessions: number
  readonly turns: number
  /** Of uploads: where each was stored, and how many bytes it has. */
  readonly files: ReadonlyArray<{ readonly path: string; readonly size: number }>
  /** Of open sessions without a directory of their app's. */
  readonly workDirectories: ReadonlyArray<string>
}

/** Copies the file to `to`, which must not exist, for this user alone; the copy is whole and checked, or there is none. */
export const copy = Effect.fn("Backup.copy")(function* (
  file: string,
  to: string
): Effect.fn.Return<LedgerContents & { readonly bytes: number }, LedgerUnusable | BackupExists> {
  const draft = `${to}.partial`
  yield* Effect.try({
    try: () => {
      // SQLite fills an empty file, and would make one that others can read.
      closeSync(openSync(draft, "w", 0o600))
      const db = new DatabaseSync(file, { readOnly: true })
      try {
        db.exec(`PRAGMA busy_timeout = ${busyMillis}`)
        db.prepare("VACUUM INTO ?").run(draft)
      } finally {
        db.close()
      }
      sync(draft)
    },
    catch: (cause) => unusable(file, `could not be copied to ${to}`, cause)
  }).pipe(Effect.onError(() => Effect.sync(() => rmSync(draft, { force: true }))))
  return yield* Effect.gen(function* () {
    const damage = yield* Damage.find(draft)
    if (damage !== null) return yield* unusable(file, "was copied, and the copy is damaged", new Error(damage))
    const contents = yield* contentsOf(draft)
    const bytes = statSync(draft).size
    // As no other may have made it meanwhile.
    yield* Effect.try({
      try: () => linkSync(draft, to),
      catch: (cause) =>
        (cause as NodeJS.ErrnoException).code === "EEXIST"
          ? new BackupExists({ file: to })
          : unusable(file, `could not be copied to ${to}`, cause)
    })
    return { ...contents, bytes }
  }).pipe(Effect.ensuring(Effect.sync(() => rmSync(draft, { force: true }))))
})

/** A writer holds the file for moments. */
const busyMillis = 10_000

const sync = (file: string) => {
  const handle = openSync(file, "r")
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

/** Changes nothing. */
export const contentsOf = (file: string): Effect.Effect<LedgerContents, LedgerUnusable> =>
  Effect.try({
    try: () => {
      const db = new DatabaseSync(file, { readOnly: true })
      try {
        const all = <A>(sql: string) => db.prepare(sql).all() as unknown as ReadonlyArray<A>
        const count = (sql: string) => all<{ readonly n: number }>(sql)[0]?.n ?? 0
        return {
          version: count(`SELECT max(migration_id) AS n FROM ${migrationsTable}`),
          latestVersion,
          sessions: count("SELECT count(*) AS n FROM sessions"),
          openSessions: count("SELECT count(*) AS n FROM sessions WHERE state <> 'closed'"),
          turns: count("SELECT count(*) AS n FROM turns"),
          files: all<{ readonly path: string; readonly size: number }>("SELECT path, size FROM files"),
          workDirectories: all<{ readonly cwd: string }>(
            "SELECT cwd FROM session_requests JOIN sessions ON id = session WHERE owns_cwd = 1 AND state <> 'closed'"
          ).map(({ cwd }) => cwd)
        }
      } finally {
        db.close()
      }
    },
    catch: (cause) => unusable(file, "can't be read", cause)
  })

const unusable = (location: string, what: string, cause: unknown) =>
  new LedgerUnusable({
    location,
    problem: `${what} (${cause instanceof Error ? cause.message : String(cause)})`,
    remedy: "Check the path, the room on its disk, and that this user may read and write there.",
    cause
  })
