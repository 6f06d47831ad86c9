/** `npm run test:kills`: the real server, its agents and their children, killed in every state of a session. */
import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/torture/**/*.torture.ts"],
    globalSetup: ["test/runDirectory.ts", "test/builtProgram.ts"],
    reporters: ["default", "./scripts/flakyTests.ts"],
    testTimeout: 600_000,
    hookTimeout: 120_000,
    maxWorkers: 1,
    fileParallelism: false
  }
})
