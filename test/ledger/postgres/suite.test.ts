/** The PostgreSQL driver keeps the ledger's contract, on a real server. */
import { it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import * as PostgresLedger from "../../../src/ledger/PostgresLedger.ts"
import { ledgerSuite } from "../suite/ledgerSuite.ts"
import { emptySchema, server } from "./schemas.ts"

if (server === null) it.skip("no PostgreSQL can be had here")
else
  ledgerSuite(
    "PostgresLedger",
    Effect.map(emptySchema, (url) => PostgresLedger.layer(Redacted.make(url)))
  )
