/**
 * One Troupe at a time works on a database alone, or any number of nodes do together. Each holds an advisory lock in the
 * session by which it writes, exclusive or shared: whoever lost that session can't write, and the server gives the lock
 * back when the process or its machine is gone.
 *
 * A session that was lost is opened again, if nobody else worked on the database meanwhile: what this Troupe has in memory
 * would be older than what is stored. Nodes need no such check: each commit for a session checks whose it is.
 */
import type { PgConnection } from "@effect/sql-pg/PgConnection"
import { Effect, Schedule } from "effect"
import { randomUUID } from "node:crypto"
import { LedgerError } from "../LedgerError.ts"

const locks = {
  alone: "pg_try_advisory_lock(845330218, hashtext(current_schema()))",
  together: "pg_try_advisory_lock_shared(845330218, hashtext(current_schema()))"
}

export interface Ownership {
  /** Takes the lock in this session. Fails as `busy` while another Troupe has it, and as `taken` where one had it since. */
  readonly hold: (connection: PgConnection) => Effect.Effect<void, unknown>
}

/** A session that ended a moment ago may still have its lock. */
const whileHeld = Schedule.max([Schedule.spaced("200 millis"), Schedule.recurs(10)])

const refusal = (kind: "busy" | "taken", cause: string) =>
  new LedgerError({ operation: "own the database", cause, kind })

export const make = (works: keyof typeof locks): Ownership => {
  const token = randomUUID()
  let owned = false
  return {
    hold: Effect.fnUntraced(function* (connection) {
      yield* Effect.gen(function* () {
        const { rows } = yield* connection.query(`SELECT ${locks[works]} AS held`)
        if (rows[0]?.["held"] !== true) return yield* refusal("busy", "another Troupe works on it")
      }).pipe(Effect.retry({ schedule: whileHeld, while: (error) => error instanceof LedgerError }))
      if (works === "together") return
      if (owned) {
        const { rows } = yield* connection.query("SELECT token FROM owner WHERE id = 1")
        if (rows[0]?.["token"] === token) return
        return yield* refusal("taken", "another Troupe has worked on it since; start this one again")
      }
      yield* connection.query(
        "INSERT INTO owner (id, token) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET token = excluded.token",
        [token]
      )
      owned = true
    })
  }
}
