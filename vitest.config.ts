/**
 * `npm test` runs the project `fast`, in under two minutes; `npm run test:processes` the others: they start programs, and
 * wait for them. What needs the registry, a browser or a real agent has a configuration of its own.
 */
import { defineConfig } from "vitest/config"

const elsewhere = [
  "test/real/**",
  "test/ledger/postgres/**",
  "test/cluster/**",
  "test/package/**",
  "test/browser/**",
  "test/openapi/**",
  "test/examples/**",
  "**/node_modules/**"
]
/** They replace functions of Node before anything else is loaded, or count more in the process's metrics than others expect. */
const inWorldsOfTheirOwn = ["test/reliability/**/*.test.ts", "test/simulation/**/*.test.ts"]
const startingPrograms = [
  "test/agent/**/*.test.ts",
  "test/cli/**/*.test.ts",
  "test/configuration/**/*.test.ts",
  "test/doors/**/*.test.ts",
  "test/isolation/**/*.test.ts",
  "test/http/{endings,killed}.test.ts",
  "test/inspect/{attention,truth}.test.ts",
  "test/ledger/sqlite/away.test.ts",
  "test/ledger/upgrade.test.ts",
  "test/mutate.run.test.ts",
  "test/observability/**/*.test.ts",
  "test/review/owed.test.ts",
  // The whole surface once more, at the other end of a connection: half a minute.
  "test/surface/remote.test.ts",
  "test/webhooks/**/*.test.ts",
  "test/supervision/{hostile,recoverTurns,sessionLimits,spares}.test.ts"
]

export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: "fast",
          include: ["test/**/*.test.ts"],
          exclude: [...elsewhere, ...inWorldsOfTheirOwn, ...startingPrograms],
          // Each file in a world of its own would load the whole program anew: that was half of the time.
          isolate: false
        }
      },
      { extends: true, test: { name: "processes", include: startingPrograms, isolate: false } },
      { extends: true, test: { name: "isolated", include: inWorldsOfTheirOwn, isolate: true } }
    ],
    // A shared machine may stop a test's processes for seconds. The gate names what passed only at the second time.
    reporters: ["default", "./scripts/flakyTests.ts"],
    retry: process.env["CI"] === undefined ? 0 : 1,
    globalSetup: ["test/runDirectory.ts", "test/builtProgram.ts"],
    testTimeout: 60_000,
    // Two cores are common on CI machines. A third worker works while the others wait for their child processes.
    maxWorkers: 3
  }
})
