#!/usr/bin/env node
/** The program `troupe`. Checks the version of Node before it loads anything, because an old one could not load the rest. */
import process from "node:process"

const needed = [22, 19] as const
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)

if (major < needed[0] || (major === needed[0] && minor < needed[1])) {
  process.stderr.write(
    `troupe: needs Node ${needed.join(".")} or newer, and this is ${process.versions.node}. In a checkout \`npm start\` brings its own.\n`
  )
  process.exitCode = 1
} else {
  const { run } = await import("./cli/cli.ts")
  process.exitCode = await run(process.argv.slice(2))
  // Everything is done, but a connection that is kept alive would keep the process running.
  process.exit()
}
