/** `npm run test:openapi`: linters and generators of clients over the OpenAPI document of the real program. */
import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/openapi/**/*.test.ts"],
    exclude: ["**/node_modules/**"],
    globalSetup: ["test/runDirectory.ts", "test/builtProgram.ts", "test/openapi/install.ts"],
    // A shared machine may stop a test's processes for seconds. The gate names what passed only at the second time.
    reporters: ["default", "./scripts/flakyTests.ts"],
    retry: process.env["CI"] === undefined ? 0 : 1,
    testTimeout: 120_000,
    hookTimeout: 120_000
  }
})
