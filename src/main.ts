#!/usr/bin/env node
/** The program `troupe`. Checks what it needs to load the rest before it loads it: a version of Node, and open files. */
import process from "node:process"
import * as OpenFiles from "./cli/openFiles.ts"
import { nodeTooOld } from "./nodeVersion.ts"

const tooOld = nodeTooOld()

if (tooOld !== null) {
  process.stderr.write(`troupe: ${tooOld}. In a checkout \`npm start\` brings its own.\n`)
  process.exitCode = 1
} else if (OpenFiles.tooFew(OpenFiles.limit()) !== null) {
  process.stderr.write(`troupe: ${OpenFiles.tooFew(OpenFiles.limit())}\n`)
  process.exitCode = 1
} else {
  const { run } = await import("./cli/cli.ts")
  process.exitCode = await run(process.argv.slice(2))
  // Everything is done, but a connection that is kept alive would keep the process running.
  process.exit()
}
