/** `npm run fuzz`: seeded random input of every kind. One file at a time, so that the memory of each can be measured. */
import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/fuzz/**/*.fuzz.ts"],
    testTimeout: 24 * 3_600_000,
    // Each in a process of its own: what one leaves behind is not counted as another's.
    maxWorkers: 1,
    fileParallelism: false,
    execArgv: ["--expose-gc"]
  }
})
