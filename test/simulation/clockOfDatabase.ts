/** A database whose clock is the simulation's. */
import type { Database } from "../../src/ledger/sql/Database.ts"
import type { SimulatedTime } from "./SimulatedTime.ts"

/** In a statement's text, which is made once and run at many times. */
const now = "/* now */ 0"

export const withClock = (database: Database, time: SimulatedTime): Database => {
  const timed = (text: string) => (text.includes(now) ? text.replaceAll(now, String(Math.round(time.now))) : text)
  return {
    ...database,
    dialect: { ...database.dialect, now },
    all: (operation, text, params, decode) => database.all(operation, timed(text), params, decode),
    commit: (operation, statements) =>
      database.commit(
        operation,
        statements.map((statement) => ({ ...statement, text: timed(statement.text) }))
      )
  }
}
