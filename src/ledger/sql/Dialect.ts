/**
 * Where databases need different words for the same: each function returns a piece of SQL. All else is written in SQL that
 * SQLite and PostgreSQL both take.
 *
 * Parameters are `?`, or `?1` and so on where one is used twice. Flags are 0 and 1, times milliseconds, JSON is text.
 */
export interface Dialect {
  /** The newest version of the schema that this Troupe knows. */
  readonly schemaVersion: number
  /** Whether a column's value is in a list; the next parameter is the list, as JSON text. */
  readonly inList: (column: string) => string
  /** A member of a JSON column, by its dotted path; NULL where the column's text can't be read. */
  readonly jsonText: (column: string, path: string) => string
  readonly jsonNumber: (column: string, path: string) => string
  /** A member of a JSON object that is a whole number and not negative, where it is asked of very many rows; else NULL. */
  readonly jsonCount: (column: string, name: string) => string
  /** `true` as 1, `false` as 0. */
  readonly jsonFlag: (column: string, path: string) => string
  /** The member of a JSON object whose name is the next parameter, as text, if it is a word, a number or a flag; else NULL. */
  readonly jsonMember: (column: string) => string
  /** JSON text of an object with these expressions as its members. */
  readonly jsonObject: (members: Readonly<Record<string, string>>) => string
  /** Behind a table's name: the index that a query has to use, where the database would choose another. */
  readonly usingIndex: (index: string) => string
  /** A column for which the database is not to choose an index. */
  readonly withoutIndex: (column: string) => string
  /** The sum of an integer column. */
  readonly sum: (expression: string) => string
  /** A real number rounded to 9 places. */
  readonly round: (expression: string) => string
  /** The database's own time, in milliseconds since 1970: what nodes whose clocks differ agree on. */
  readonly now: string
  /** Behind a query that reads a row: it stays as it is until the end of the transaction. */
  readonly unchanged: string
  /**
   * Behind a query that reads a row which is to be changed: nobody else has it until the end of the transaction, and what is
   * read from then on is what others had committed by then. A row that another transaction has is not found: no waiting.
   */
  readonly taken: string
  /**
   * A query of one parameter: until the end of the transaction no other node has a lock of this name. No row: one has it.
   * It does not wait, since all that this node commits would wait with it, for as long as the other one hangs.
   */
  readonly lock: string
  /** A turn's row says between which numbers its events are. Else an index has events by their turns. */
  readonly boundsTurns: boolean
  /** The place of a text in another, from 1; 0 where it is not in it. */
  readonly position: (inText: string, text: string) => string
}
