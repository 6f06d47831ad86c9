/** The SQLite driver keeps the ledger's contract, in a real file. What is SQLite's own is tested in `sqlite/`. */
import { Effect } from "effect"
import * as SqliteLedger from "../../src/ledger/SqliteLedger.ts"
import { scratchFile } from "./samples.ts"
import { ledgerSuite } from "./suite/ledgerSuite.ts"

ledgerSuite("SqliteLedger", Effect.map(scratchFile, SqliteLedger.layer))
