/** `npm run test:package`: the packed tarball in an empty project, installed from the registry. */
import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/package/**/*.test.ts"],
    exclude: ["**/node_modules/**"],
    testTimeout: 120_000,
    hookTimeout: 300_000,
    maxWorkers: 1,
    fileParallelism: false
  }
})
