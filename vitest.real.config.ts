/** `npm run test:real`: the real codex, claude and acpx against a loopback model. One file at a time, with long waits. */
import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/real/**/*.test.ts"],
    exclude: ["**/node_modules/**"],
    globalSetup: ["test/real/install.ts"],
    testTimeout: 120_000,
    hookTimeout: 300_000,
    maxWorkers: 1,
    fileParallelism: false
  }
})
