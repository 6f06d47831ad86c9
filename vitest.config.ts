/** `npm test`: the whole fast suite. What needs the registry or a real agent has a configuration of its own. */
import { defineConfig } from "vitest/config"

const elsewhere = ["test/real/**", "test/package/**", "test/browser/**", "**/node_modules/**"]
/** They replace functions of Node before anything else is loaded, or count more in the process's metrics than others expect. */
const inWorldsOfTheirOwn = ["test/reliability/**/*.test.ts", "test/simulation/**/*.test.ts"]

export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: "fast",
          include: ["test/**/*.test.ts"],
          exclude: [...elsewhere, ...inWorldsOfTheirOwn],
          // Each file in a world of its own would load the whole program anew: that was half of the time.
          isolate: false
        }
      },
      { extends: true, test: { name: "isolated", include: inWorldsOfTheirOwn, isolate: true } }
    ],
    // A shared machine may stop a test's processes for seconds. The gate names what passed only at the second time.
    reporters: ["default", "./scripts/flakyTests.ts"],
    retry: process.env["CI"] === undefined ? 0 : 1,
    testTimeout: 60_000,
    // Two cores are common on CI machines. A third worker works while the others wait for their child processes.
    maxWorkers: 3
  }
})
