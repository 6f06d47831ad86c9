/** `npm run test:examples`: each program of examples/, as its reader runs it, against the package as it is built. */
import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/examples/**/*.test.ts"],
    exclude: ["**/node_modules/**"],
    globalSetup: ["test/runDirectory.ts", "test/examples/install.ts"],
    // A shared machine may stop a test's processes for seconds. The gate names what passed only at the second time.
    reporters: ["default", "./scripts/flakyTests.ts"],
    retry: process.env["CI"] === undefined ? 0 : 1,
    testTimeout: 120_000,
    hookTimeout: 300_000,
    maxWorkers: 2
  }
})
