/** `npm run test:postgres`: the ledger on PostgreSQL, on a server that the tests start and stop. */
import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/ledger/postgres/**/*.test.ts"],
    globalSetup: ["test/builtProgram.ts", "test/ledger/postgres/server.ts"],
    isolate: false,
    testTimeout: 60_000,
    maxWorkers: 2
  }
})
