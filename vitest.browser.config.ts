/** `npm run test:browser`: the dashboard in a real Chromium, against the real server, or two nodes on one PostgreSQL. */
import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/browser/**/*.test.ts"],
    exclude: ["**/node_modules/**"],
    globalSetup: [
      "test/runDirectory.ts",
      "test/builtProgram.ts",
      "test/browser/setup.ts",
      "test/ledger/postgres/server.ts"
    ],
    // A shared machine may stop a test's processes for seconds. The gate names what passed only at the second time.
    reporters: ["default", "./scripts/flakyTests.ts"],
    retry: process.env["CI"] === undefined ? 0 : 1,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Each file has a browser and a server of its own, and mostly waits for them.
    maxWorkers: 2
  }
})
