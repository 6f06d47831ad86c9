/** `npm run check`: types, lint, format, the arrows between rooms and the lock files, all of them even where one fails. */
import { spawnSync } from "node:child_process"
import process from "node:process"

const checks: ReadonlyArray<readonly [name: string, command: string, ...args: ReadonlyArray<string>]> = [
  ["types", "tsc", "--noEmit", "-p", "."],
  ["types of the page", "tsc", "--noEmit", "-p", "src/inspect/page"],
  ["lint", "oxlint", "--quiet"],
  ["format", "oxfmt", "--check"],
  ["rooms", "vitest", "run", "test/rooms.test.ts"],
  ["locks", "node", "scripts/checkLocks.ts"]
]

const failed = checks.flatMap(([name, command, ...args]) => {
  const started = performance.now()
  // npm put this project's own programs first in PATH.
  const { error, status } = spawnSync(command, args, { stdio: "inherit" })
  if (error !== undefined)
    console.error(`${command} could not be started (${error.message}). Run this as: npm run check`)
  console.log(`${status === 0 ? "ok    " : "FAILED"} ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`)
  return status === 0 ? [] : [name]
})

process.exitCode = failed.length === 0 ? 0 : 1
