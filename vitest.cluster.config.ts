/** `npm run test:cluster`: several programs on one PostgreSQL database, which are killed, stopped and asked in turn. */
import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/cluster/**/*.test.ts"],
    globalSetup: ["test/builtProgram.ts", "test/ledger/postgres/server.ts"],
    isolate: false,
    testTimeout: 120_000,
    maxWorkers: 2
  }
})
