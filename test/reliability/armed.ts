/**
 * For a program in a process of its own: `node --import …/armed.ts main.js`. `FAULT` is the fault, as `ledger write:3:kill`;
 * it is armed at the start, or, with `FAULT_AT=SIGUSR2`, at that signal, which is answered on stderr. So is the call that fails.
 */
import { writeSync } from "node:fs"
import { join } from "node:path"
import * as Faults from "./faults.ts"
import type { Kind, Mode } from "./faults.ts"

const [kind, nth, mode] = (process.env["FAULT"] ?? "").split(":")
const at = process.env["FAULT_AT"]
// Neither the program's nor its agents'.
delete process.env["FAULT"]
delete process.env["FAULT_AT"]

Faults.spareProgram(join(import.meta.dirname, "..", "..", "/"))

const arm = () =>
  Faults.arm(kind as Kind, Number(nth), mode as Mode, (call) => void writeSync(2, `failed: ${kind} ${nth}, ${call}\n`))

if (kind !== undefined && kind !== "") {
  if (at === undefined) arm()
  else
    process.on(at, () => {
      arm()
      process.stderr.write(`armed: ${kind} ${nth}\n`)
    })
}
