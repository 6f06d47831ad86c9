#!/usr/bin/env node
/** The program `troupe`. Looks at the Node that runs it before it loads anything, because an old one could not. */
import process from "node:process"

const needed = [22, 19] as const
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)

if (major < needed[0] || (major === needed[0] && minor < needed[1])) {
  process.stderr.write(
    `troupe: needs Node ${needed.join(".")} or newer, and this is ${process.versions.node}. In a checkout \`npm start\` brings its own.\n`
  )
  process.exitCode = 1
} else {
  // `troupe … | head` closes the pipe when it has seen enough; that is no failure.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1))
  const { run } = await import("./cli/cli.ts")
  process.exitCode = await run(process.argv.slice(2))
  // Nothing is left to do; a connection that is kept alive for later would keep the program, too.
  process.exit()
}
