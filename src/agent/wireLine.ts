/**
 * The line of an agent behind a fact, as it may be kept and shown: without its secrets, and not longer than a page.
 *
 * Kept for whoever asks later why a session did what it did; nothing reads it to decide anything.
 */
import { redact } from "./redact.ts"

/** A line that was cut has one character more: its `…`. */
export const longestWireLine = 16 * 1024

/** What a secret at the edge may have on the far side of it: it must still be whole when it is looked for. */
const beyondEdge = 1_024

export const wireLine = (line: string, secrets: ReadonlyArray<string>): string => {
  const clean = redact(line.slice(0, longestWireLine + beyondEdge), secrets)
  // Taken apart and put together: a part of a string keeps the whole of it alive, which may be 32 MiB.
  return clean.length <= longestWireLine && line.length <= longestWireLine
    ? clean
    : `${Buffer.from(clean.slice(0, longestWireLine)).toString()}…`
}

export const wasCut = (line: string): boolean => line.length > longestWireLine

/** What stands for a line where a process ended: how, and its last words, which are redacted by now. */
export const exitLine = (exit: { readonly code: number | null; readonly signal: string | null }, stderr: string) =>
  `${exit.signal === null ? `exit code ${exit.code ?? "unknown"}` : `signal ${exit.signal}`}${stderr === "" ? "" : `\n${stderr}`}`
