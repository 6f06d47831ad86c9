/** SQLite's words. */
import type { Dialect } from "../sql/Dialect.ts"
import { latestVersion } from "./migrations.ts"

/** Of a row whose JSON is damaged nothing, and not an error that takes all other rows away, too. */
const ifValid = (column: string, value: string) => `CASE WHEN json_valid(${column}) THEN ${value} END`

const extract = (column: string, path: string) => ifValid(column, `json_extract(${column}, '$.${path}')`)

export const sqliteDialect: Dialect = {
  schemaVersion: latestVersion,
  inList: (column) => `${column} IN (SELECT value FROM json_each(?))`,
  jsonText: extract,
  // As a real number: an integer beyond 2^53 makes its reader fail.
  jsonNumber: (column, path) =>
    ifValid(
      column,
      `CASE WHEN json_type(${column}, '$.${path}') IN ('integer', 'real')
        THEN CAST(json_extract(${column}, '$.${path}') AS REAL) END`
    ),
  jsonCount: extract,
  jsonFlag: (column, path) =>
    ifValid(column, `CASE json_type(${column}, '$.${path}') WHEN 'true' THEN 1 WHEN 'false' THEN 0 END`),
  jsonMember: (column) =>
    `(SELECT CASE WHEN type IN ('true', 'false') THEN type WHEN type IN ('text', 'integer', 'real') THEN CAST(value AS TEXT) END
      FROM json_each(${ifValid(column, column)}) WHERE key = ?)`,
  jsonObject: (members) =>
    `json_object(${Object.entries(members)
      .map(([name, expression]) => `'${name}', ${expression}`)
      .join(", ")})`,
  usingIndex: (index) => ` INDEXED BY ${index}`,
  // SQLite uses no index for an expression.
  withoutIndex: (column) => `+${column}`,
  sum: (expression) => `sum(${expression})`,
  round: (expression) => `round(${expression}, 9)`,
  now: "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
  // One transaction writes at a time.
  unchanged: "",
  taken: "",
  lock: "SELECT 1 WHERE ? IS NOT NULL",
  boundsTurns: true,
  position: (inText, text) => `instr(${inText}, ${text})`
}
