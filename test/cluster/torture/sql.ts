/** Statements to a PostgreSQL server, beside the nodes and past their proxies. */
import * as PgConnection from "@effect/sql-pg/PgConnection"
import { Effect, Redacted } from "effect"

export type Row = Readonly<Record<string, unknown>>

/** Each in a connection of its own. Numbers of `bigint` columns are bigints: cast what is to be a number. */
export const rowsOf = (url: string, text: string): Promise<ReadonlyArray<Row>> =>
  PgConnection.make({ url: Redacted.make(url) }).pipe(
    Effect.flatMap((connection) => connection.query(text, [], false)),
    Effect.map(({ rows }) => rows as ReadonlyArray<Row>),
    Effect.scoped,
    Effect.runPromise
  )

/** Holds a transaction open in which these statements ran, and takes it back when the time is over. */
export const holdTransaction = (url: string, statements: ReadonlyArray<string>, millis: number): Promise<void> =>
  PgConnection.make({ url: Redacted.make(url) }).pipe(
    Effect.flatMap(({ pin }) => pin),
    Effect.tap((connection) =>
      Effect.forEach(["BEGIN", ...statements], (text) => connection.query(text), { discard: true })
    ),
    Effect.tap(Effect.sleep(millis)),
    Effect.flatMap((connection) => connection.query("ROLLBACK")),
    Effect.asVoid,
    Effect.scoped,
    Effect.runPromise
  )
