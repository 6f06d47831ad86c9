/** `npm test`: the whole fast suite. What needs the registry or a real agent has a configuration of its own. */
import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/real/**", "test/package/**", "test/browser/**", "**/node_modules/**"],
    testTimeout: 60_000,
    // Each file in a world of its own would load the whole program anew: that was half of the time.
    isolate: false,
    // Two cores are common on CI machines. A third worker works while the others wait for their child processes.
    maxWorkers: 3
  }
})
