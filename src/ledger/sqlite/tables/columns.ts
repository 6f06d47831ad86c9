/**
 * How values become columns and come back.
 *
 * Rows are mapped, not validated: the ledger reads what it wrote itself, STRICT tables keep the types and CHECKs the
 * words. Text that should be JSON and is not fails the read.
 */
import type { Usage } from "../../../domain/Turn.ts"
import type { SqlValue } from "../Database.ts"

export const flag = (value: boolean): number => (value ? 1 : 0)

export const json = (value: unknown): string => JSON.stringify(value ?? null)

export const jsonOrNull = (value: unknown): string | null => (value === null ? null : JSON.stringify(value))

/** The columns of a `Usage`, in the order of `usageParams`. */
export const usageColumns = [
  "input_tokens",
  "cached_input_tokens",
  "output_tokens",
  "reasoning_tokens",
  "total_tokens"
] as const

export type UsageRow = Readonly<Record<(typeof usageColumns)[number], number>>

export const usageParams = (usage: Usage): ReadonlyArray<number> => [
  usage.inputTokens,
  usage.cachedInputTokens,
  usage.outputTokens,
  usage.reasoningTokens,
  usage.totalTokens
]

export const usageOf = (row: UsageRow): Usage => ({
  inputTokens: row.input_tokens,
  cachedInputTokens: row.cached_input_tokens,
  outputTokens: row.output_tokens,
  reasoningTokens: row.reasoning_tokens,
  totalTokens: row.total_tokens
})

/** `INSERT INTO table (…) VALUES (?, …)`, to be built once per table. */
export const insertInto = (table: string, columns: ReadonlyArray<string>): string =>
  `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`

/** A column and its new value, for each field that a patch has. */
export type Assignments = ReadonlyArray<readonly [column: string, value: SqlValue]>

/** The update that a patch means; the same fields give the same text, so that it is prepared once. */
export const updateOf = (table: string, assignments: Assignments, where: string, key: ReadonlyArray<SqlValue>) => ({
  text: `UPDATE ${table} SET ${assignments.map(([column]) => `${column} = ?`).join(", ")} WHERE ${where} RETURNING 1`,
  params: [...assignments.map(([, value]) => value), ...key]
})
