/**
 * A module that Node loads before a node: its clock is off by the milliseconds that a file says at the time, and so is that of its
 * warden, as two processes of one machine have one clock. The clock that only goes on stays as it is.
 */
import childProcess from "node:child_process"
import { readFileSync } from "node:fs"
import { syncBuiltinESMExports } from "node:module"
import { fileURLToPath } from "node:url"

const file = process.env.TORTURE_CLOCK
let offset = 0
const read = () => {
  try {
    offset = Number(readFileSync(file, "utf8"))
  } catch {
    // It is being written.
  }
}
read()
setInterval(read, 20).unref()

const now = Date.now
const shifted = () => now() + offset
globalThis.Date = new Proxy(Date, {
  apply: (date) => new date(shifted()).toString(),
  construct: (date, args) => (args.length === 0 ? new date(shifted()) : Reflect.construct(date, args)),
  get: (date, key) => (key === "now" ? shifted : Reflect.get(date, key))
})

const { spawn } = childProcess
childProcess.spawn = (command, args, options) => {
  if (!args?.some((arg) => /warden/.test(arg))) return spawn(command, args, options)
  const env = {
    ...options?.env,
    NODE_OPTIONS: `--import=${fileURLToPath(import.meta.url)}`,
    TORTURE_CLOCK: file
  }
  return spawn(command, args, { ...options, env })
}
syncBuiltinESMExports()
