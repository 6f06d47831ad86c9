/** `npm run test:cluster`: several programs on one PostgreSQL database, which are killed, stopped and asked in turn. */
import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/cluster/**/*.test.ts"],
    globalSetup: ["test/runDirectory.ts", "test/builtProgram.ts", "test/ledger/postgres/server.ts"],
    isolate: false,
    // A shared machine may stop a test's processes for seconds. The gate names what passed only at the second time.
    reporters: ["default", "./scripts/flakyTests.ts"],
    retry: process.env["CI"] === undefined ? 0 : 1,
    testTimeout: 120_000,
    maxWorkers: 2
  }
})
