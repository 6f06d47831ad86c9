/** `npm run test:real`: the real codex, claude and acpx against a loopback model. Mostly it waits, so two files at a time. */
import { defineConfig } from "vitest/config"

/** What scripted agents test in `npm test`, too: with `CI` set there is half an hour for all checks together. */
const whole = [
  "test/real/watchdogs.test.ts",
  "test/real/steering.test.ts",
  "test/real/costs.test.ts",
  "test/real/abilities.acp.test.ts",
  "test/real/abilities.acpModels.test.ts",
  "test/real/abilities.acpQuestions.test.ts",
  "test/real/other-agents.test.ts",
  "test/real/permissions.codexRepository.test.ts",
  "test/real/permissions.others.test.ts",
  "test/real/run.test.ts"
]

export default defineConfig({
  test: {
    include: ["test/real/**/*.test.ts"],
    exclude: ["**/node_modules/**", ...(process.env["CI"] === undefined ? [] : whole)],
    globalSetup: ["test/builtProgram.ts", "test/real/install.ts", "test/ledger/postgres/server.ts"],
    // The waits within a test are bounded, and say what did not happen.
    // A shared machine may stop a test's processes for seconds. The gate names what passed only at the second time.
    reporters: ["default", "./scripts/flakyTests.ts"],
    retry: process.env["CI"] === undefined ? 0 : 1,
    testTimeout: 300_000,
    hookTimeout: 300_000,
    maxWorkers: 2
  }
})
