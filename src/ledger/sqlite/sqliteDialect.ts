/** SQLite's words. */
import type { Dialect } from "../sql/Dialect.ts"

/** Of a row whose JSON is damaged nothing, and not an error that takes all other rows away, too. */
const extract = (column: string, path: string) =>
  `CASE WHEN json_valid(${column}) THEN json_extract(${column}, '$.${path}') END`

export const sqliteDialect: Dialect = {
  inList: (column) => `${column} IN (SELECT value FROM json_each(?))`,
  jsonText: extract,
  jsonNumber: extract,
  jsonFlag: extract,
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
  position: (inText, text) => `instr(${inText}, ${text})`
}
