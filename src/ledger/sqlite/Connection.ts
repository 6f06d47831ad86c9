/**
 * The connection on which the ledger's statements run, each in one synchronous call of `node:sqlite`.
 *
 * An SQL client would cost more than SQLite: a lookup in a cache of effects, an effect and a description of the columns for
 * each of the dozen statements of a commit (decision 0035).
 */
import type { StatementSync } from "node:sqlite"
import type { SqlValue } from "../sql/Database.ts"
import { DatabaseSync } from "./nodeSqlite.ts"

/** More texts than the ledger has, but for the combinations of columns that a patch may change. */
const mostPrepared = 400

export class Connection {
  readonly #db: DatabaseSync
  readonly #prepared = new Map<string, Prepared>()

  constructor(location: string) {
    this.#db = new DatabaseSync(location)
  }

  /** The rows that it returns. Throws SQLite's error. */
  run(text: string, params: ReadonlyArray<SqlValue>): ReadonlyArray<unknown> {
    const { returns, rowOf, statement } = this.#prepared.get(text) ?? this.#prepare(text)
    if (returns === "rows") return (statement.all(...params) as unknown as ReadonlyArray<Values>).map(rowOf)
    statement.run(...params)
    return none
  }

  /** How many rows it returns. Throws SQLite's error. */
  count(text: string, params: ReadonlyArray<SqlValue>): number {
    const { returns, statement } = this.#prepared.get(text) ?? this.#prepare(text)
    if (returns === "rows") return statement.all(...params).length
    const { changes } = statement.run(...params)
    return returns === "changes" ? Number(changes) : 0
  }

  /** The same for a statement that does not come again. */
  runOnce(text: string, params: ReadonlyArray<SqlValue>): ReadonlyArray<unknown> {
    return this.#db.prepare(text).all(...params)
  }

  close(): void {
    this.#prepared.clear()
    this.#db.close()
  }

  #prepare(text: string): Prepared {
    const isCounted = text.endsWith(countsRows)
    const statement = this.#db.prepare(isCounted ? text.slice(0, -countsRows.length) : text)
    // Node would look up the name of each column for each row, and make of them an object that is slow to read.
    statement.setReturnArrays(true)
    const columns = statement.columns().map(({ name }) => name)
    const prepared: Prepared = {
      statement,
      returns: isCounted ? "changes" : columns.length > 0 ? "rows" : "nothing",
      rowOf: makeRowOf(columns)
    }
    const [oldest] = this.#prepared.keys()
    if (this.#prepared.size >= mostPrepared && oldest !== undefined) this.#prepared.delete(oldest)
    this.#prepared.set(text, prepared)
    return prepared
  }
}

/**
 * Of a statement that says no more of a row than that it changed it, SQLite's own count is taken: for RETURNING it builds a table,
 * fills and drops it, which costs as much as the change.
 */
const countsRows = " RETURNING 1"

interface Prepared {
  readonly statement: StatementSync
  readonly returns: "rows" | "changes" | "nothing"
  readonly rowOf: (values: Values) => Row
}

type Values = ReadonlyArray<SqlValue>
type Row = Readonly<Record<string, SqlValue>>

const makeRowOf =
  (columns: ReadonlyArray<string>) =>
  (values: Values): Row => {
    const row: Record<string, SqlValue> = {}
    for (let nth = 0; nth < columns.length; nth++) row[columns[nth]!] = values[nth]!
    return row
  }

const none: ReadonlyArray<never> = []
