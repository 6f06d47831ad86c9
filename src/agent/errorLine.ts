/** The line of a process's last words that says what went wrong: what a person would look for in its stderr. */
import { cut } from "../domain/cut.ts"

const longest = 300

/** `Error: …`, `TypeError [ERR_X]: …`, `fatal: …`, `panic: …`, `thread 'main' panicked at …`, `ValueError`. */
const begins =
  /^(?:uncaught )?(?:[\w.$]*(?:Error|Exception)(?: \[[\w-]+\])?|error|fatal|panic|critical)\b(?:\[[\w-]+\])?(?::|$| )/i

/** Words that an error has somewhere in its line. */
const speaks =
  /\b(?:error|fatal|panicked|failed|failure|cannot|can't|could not|unable to|not found|no such|denied|refused|invalid|missing|killed|out of memory)\b/i

/** A frame of a stack, a line of source or the mark below it, and what a runtime says behind an error. */
const isBesides = (line: string): boolean =>
  /^at .+[:)]/.test(line) ||
  /^File ".+", line \d+/.test(line) ||
  /^[\^~\s]+$/.test(line) ||
  /^Node\.js v\d/.test(line) ||
  /^throw\b/.test(line) ||
  /^(?:file:\/\/)?\/\S+:\d+(?::\d+)?$/.test(line) ||
  /^(?:note: run with|npm (?:ERR!|error) A complete log)/.test(line) ||
  /^[{}\])]+,?$/.test(line)

/** The first line that looks like an error, else the last that says anything; empty where there is none. */
export const errorLine = (stderr: string): string => {
  const lines = stderr
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
  const telling = lines.filter((line) => !isBesides(line))
  const found =
    telling.find((line) => begins.test(line)) ??
    telling.find((line) => speaks.test(line)) ??
    telling.at(-1) ??
    lines.at(-1) ??
    ""
  // Rust says where before it says what.
  const panic = /^thread .+ panicked at /.test(found) ? telling[telling.indexOf(found) + 1] : undefined
  return cut(panic === undefined ? found : `${found} ${panic}`, longest)
}
