/** `npm run test:real`: the real codex, claude and acpx against a loopback model. Mostly it waits, so two files at a time. */
import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/real/**/*.test.ts"],
    exclude: ["**/node_modules/**"],
    globalSetup: ["test/real/install.ts"],
    // The waits within a test are bounded, and say what did not happen.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    maxWorkers: 2
  }
})
