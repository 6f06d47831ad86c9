/** Connections to a PostgreSQL server, by `@effect/sql-pg`: a package that only those install who use PostgreSQL. */
import type * as PgConnection from "@effect/sql-pg/PgConnection"
import type * as PgPool from "@effect/sql-pg/PgPool"
import type * as PgTypes from "@effect/sql-pg/PgTypes"
import { Effect, Redacted, Result } from "effect"
import { installOf } from "../../domain/optionalPackage.ts"
import { LedgerUnusable } from "../LedgerError.ts"

export interface Client {
  readonly connection: typeof PgConnection
  readonly pool: typeof PgPool
  readonly types: typeof PgTypes
}

const packageName = "@effect/sql-pg"

/** The modules of the package; fails with the command that installs it where it is not there. */
export const load = (location: string): Effect.Effect<Client, LedgerUnusable> =>
  Effect.tryPromise({ try: () => modules(location), catch: (cause) => cause as LedgerUnusable })

const modules = async (location: string): Promise<Client> => {
  // Within `try`, where a bundler that does not find an optional package goes on.
  try {
    return {
      connection: await import("@effect/sql-pg/PgConnection"),
      pool: await import("@effect/sql-pg/PgPool"),
      types: await import("@effect/sql-pg/PgTypes")
    }
  } catch (cause) {
    throw new LedgerUnusable({
      location,
      problem: `needs the package ${packageName}, which is not there`,
      remedy: `Install it beside Troupe: ${installOf(packageName)}`,
      cause
    })
  }
}

/** A statement ends after this; the ledger's own take milliseconds. */
const statementTimeoutMillis = 30_000

/** How every connection is opened. */
export const configOf = ({ types }: Client, url: Redacted.Redacted<string>): PgConnection.Config => ({
  url,
  types: registryOf(types),
  applicationName: "troupe",
  connectTimeout: "5 seconds",
  keepAlive: "10 seconds",
  preparedStatementCacheSize: 400,
  maxMessageSize: 256 * 1024 * 1024,
  startupParameters: {
    statement_timeout: String(statementTimeoutMillis),
    idle_in_transaction_session_timeout: String(statementTimeoutMillis)
  }
})

const int8 = 20

/** As SQLite gives them: all of the ledger's integers are exact in a double. */
const registryOf = (types: typeof PgTypes): PgTypes.Registry => {
  const registry = types.makeRegistry()
  const view = (bytes: Uint8Array, offset: number) => new DataView(bytes.buffer, bytes.byteOffset + offset, 8)
  registry.register<number>(int8, {
    encode: (value) => {
      const bytes = new Uint8Array(8)
      view(bytes, 0).setBigInt64(0, BigInt(value))
      return Result.succeed(bytes)
    },
    decode: (bytes) => Result.succeed(Number(view(bytes, 0).getBigInt64(0))),
    read: (bytes, offset) => Result.succeed(Number(view(bytes, offset).getBigInt64(0)))
  })
  return registry
}

/** The address without its password, for people to read. */
export const locationOf = (url: Redacted.Redacted<string>): string => {
  try {
    const parsed = new URL(Redacted.value(url))
    return `${parsed.protocol}//${parsed.username === "" ? "" : `${parsed.username}@`}${parsed.host}${parsed.pathname}`
  } catch {
    return "postgres://…"
  }
}
