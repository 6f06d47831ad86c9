/** PostgreSQL's words. */
import type { Dialect } from "../sql/Dialect.ts"
import { latestVersion } from "./migrations.ts"

const list = (path: string) => `'{${path.replaceAll(".", ",")}}'`

export const postgresDialect: Dialect = {
  schemaVersion: latestVersion,
  inList: (column) => `${column} IN (SELECT json_array_elements_text(?::json))`,
  // A function of the schema: a cast fails on JSON that is damaged. `json`, because `jsonb` refuses texts with \u0000.
  jsonText: (column, path) => `json_member(${column}, ${list(path)})`,
  // Without a question mark, which would be a parameter.
  jsonNumber: (column, path) => {
    const member = `json_member(${column}, ${list(path)})`
    return `CASE WHEN ${member} ~ '^-{0,1}[0-9]{1,255}([.][0-9]+){0,1}([eE][-+]{0,1}[0-9]{1,2}){0,1}$' THEN ${member}::double precision END`
  },
  // By its text: a function that may fail costs a hundred times as much. In a text of it the quotes are behind backslashes.
  jsonCount: (column, name) => `CAST(substring(${column} from '"${name}" {0,1}: {0,1}([0-9]{1,15})') AS bigint)`,
  jsonFlag: (column, path) => `CASE json_member(${column}, ${list(path)}) WHEN 'true' THEN 1 WHEN 'false' THEN 0 END`,
  jsonMember: (column) => `json_member(${column}, ARRAY[?]::text[])`,
  jsonObject: (members) =>
    `json_build_object(${Object.entries(members)
      .map(([name, expression]) => `'${name}', ${expression}`)
      .join(", ")})::text`,
  // Its planner has statistics.
  usingIndex: () => "",
  withoutIndex: (column) => column,
  // The sum of bigints is a numeric, which the client gives as a text.
  sum: (expression) => `sum(${expression})::bigint`,
  round: (expression) => `round((${expression})::numeric, 9)::double precision`,
  now: "(extract(epoch FROM clock_timestamp()) * 1000)::bigint",
  unchanged: "FOR SHARE",
  taken: "FOR NO KEY UPDATE SKIP LOCKED",
  lock: "SELECT 1 WHERE pg_try_advisory_xact_lock(hashtextextended(current_schema() || ' ' || ?, 0))",
  // An older version of Troupe may write beside this one, and would not say it.
  boundsTurns: false,
  position: (inText, text) => `strpos(${inText}, ${text})`
}
