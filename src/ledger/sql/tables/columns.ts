/**
 * Conversion between the fields of a record and the columns of a row.
 *
 * Rows are mapped, not validated: the ledger reads what it wrote itself. STRICT tables guarantee the types, and CHECK
 * constraints the allowed words. A read fails on text that should be JSON and is not, except where it is one of a list.
 */
import { isDeeperThan } from "../../../domain/storable.ts"
import type { Usage } from "../../../domain/Turn.ts"
import type { SqlValue, Write } from "../Database.ts"

export const flag = (value: boolean): number => (value ? 1 : 0)

export const json = (value: unknown): string => JSON.stringify(value ?? null)

export const jsonOrNull = (value: unknown): string | null => (value === null ? null : JSON.stringify(value))

export type Row = Readonly<Record<string, SqlValue>>

/** How one field of a record is kept: in which columns, and how its value is written to them and read back. */
export interface Field<A> {
  readonly columns: ReadonlyArray<string>
  readonly write: (value: A) => ReadonlyArray<SqlValue>
  readonly read: (row: Row) => A
}

/** One description of a record's fields, from which its insert, its update and its read are made. */
export type Fields<A> = { readonly [K in keyof A]: Field<A[K]> }

/** A field whose values SQLite keeps as they are. */
export const plain = <A extends SqlValue>(column: string): Field<A> => ({
  columns: [column],
  write: (value) => [value],
  read: (row) => row[column] as A
})

export const flagField = (column: string): Field<boolean> => ({
  columns: [column],
  write: (value) => [flag(value)],
  read: (row) => row[column] === 1
})

/** No reader of JSON stops before: the schemas throw from some 4,000 levels, and SQLite's own functions from 1,001. */
const maxReadDepth = 1_000

/**
 * JSON of a row that a list shows. Where it can't be read, or nests deeper than its readers go, `instead` takes its place,
 * so that one bad row does not take its list away. The note completes a sentence about the value.
 */
export const readableJson = <A>(text: string, instead: (note: string) => A): A => {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return instead("is not JSON in the ledger")
  }
  // A level takes two characters.
  const isDeep = text.length > 2 * maxReadDepth && isDeeperThan(value, maxReadDepth)
  return isDeep ? instead(`nests deeper than ${maxReadDepth} levels`) : (value as A)
}

/** `jsonField` for what lists show. */
export const readableJsonField = <A>(column: string, instead: (note: string) => A): Field<A> => ({
  columns: [column],
  write: (value) => [json(value)],
  read: (row) => readableJson(String(row[column]), instead)
})

/** `null` is kept as the text `null`. */
export const jsonField = <A>(column: string): Field<A> => ({
  columns: [column],
  write: (value) => [json(value)],
  read: (row) => JSON.parse(String(row[column])) as A
})

/** `null` is kept as NULL. */
export const jsonOrNullField = <A>(column: string): Field<A | null> => ({
  columns: [column],
  write: (value) => [jsonOrNull(value)],
  read: (row) => (row[column] === null ? null : readableJson<A | null>(String(row[column]), () => null))
})

const keysOf = <A>(fields: Fields<A>) => Object.keys(fields) as Array<keyof A>

export const columnsOf = <A>(fields: Fields<A>): ReadonlyArray<string> =>
  keysOf(fields).flatMap((key) => fields[key].columns)

/** The record's values, in the order of `columnsOf`. */
export const paramsOf = <A>(fields: Fields<A>, record: NoInfer<A>): ReadonlyArray<SqlValue> => {
  const params: Array<SqlValue> = []
  for (const key in fields) params.push(...fields[key].write(record[key]))
  return params
}

export const recordOf = <A>(fields: Fields<A>) => {
  const keys = keysOf(fields)
  return (row: Row): A => {
    const record: Partial<A> = {}
    for (const key of keys) record[key] = fields[key].read(row)
    return record as A
  }
}

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

export const usageField: Field<Usage> = {
  columns: usageColumns,
  write: usageParams,
  read: (row) => usageOf(row as UsageRow)
}

/** `INSERT INTO table (…) VALUES (?, …)`, to be built once per table. */
export const insertInto = (table: string, columns: ReadonlyArray<string>): string =>
  `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`

/** The same for so many rows. */
export const rowsOf = (insert: string, rows: number): string => {
  const values = insert.slice(insert.lastIndexOf("("))
  return insert + `, ${values}`.repeat(rows - 1)
}

/** Columns and their new values. */
export type Assignments = ReadonlyArray<readonly [column: string, value: SqlValue]>

/** An UPDATE. The same columns give the same text, so that SQLite prepares it once. */
export const updateOf = (table: string, assignments: Assignments, where: string, key: ReadonlyArray<SqlValue>) => ({
  text: updateText(
    table,
    assignments.map(([column]) => column),
    where
  ),
  params: [...assignments.map(([, value]) => value), ...key]
})

const updateText = (table: string, columns: ReadonlyArray<string>, where: string): string =>
  `UPDATE ${table} SET ${columns.map((column) => `${column} = ?`).join(", ")} WHERE ${where} RETURNING 1`

/** The UPDATE of a patch's fields. It fails where no row has the key, also where the patch has no field. */
export const patchOf = <A>(
  table: string,
  fields: Fields<A>,
  patch: Partial<NoInfer<A>>,
  {
    failIfNoRow,
    key,
    where
  }: { readonly where: string; readonly key: ReadonlyArray<SqlValue>; readonly failIfNoRow: string }
): Write => {
  const params: Array<SqlValue> = []
  let changed = " "
  for (const name in fields) {
    const value = patch[name]
    if (value === undefined) continue
    params.push(...fields[name].write(value))
    changed += `${name} `
  }
  params.push(...key)
  return { text: textOfPatch(table, fields, changed, where), params, failIfNoRow }
}

/**
 * The texts of patches, each made once: a new string would be hashed anew where its statement is looked up. They are as many
 * as there are kinds of changes; a patch's fields come in the order of its table's.
 */
const textsOfPatches = new Map<string, string>()

const textOfPatch = <A>(table: string, fields: Fields<A>, changed: string, where: string): string => {
  const key = `${table} ${changed}${where}`
  let text = textsOfPatches.get(key)
  if (text === undefined) {
    const columns = keysOf(fields).flatMap((name) =>
      changed.includes(` ${String(name)} `) ? fields[name].columns : []
    )
    text = columns.length === 0 ? `SELECT 1 FROM ${table} WHERE ${where}` : updateText(table, columns, where)
    textsOfPatches.set(key, text)
  }
  return text
}
