/** `npm run test:package`: the packed tarball in an empty project, installed from the registry. */
import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/package/**/*.test.ts"],
    globalSetup: ["test/runDirectory.ts", "test/package/pack.ts"],
    exclude: ["**/node_modules/**"],
    // A shared machine may stop a test's processes for seconds. The gate names what passed only at the second time.
    reporters: ["default", "./scripts/flakyTests.ts"],
    retry: process.env["CI"] === undefined ? 0 : 1,
    testTimeout: 120_000,
    hookTimeout: 300_000,
    maxWorkers: 1,
    fileParallelism: false
  }
})
