/**
 * The line of an agent that caused a fact, as it is stored and shown: without secrets, and cut to a bounded length.
 *
 * It is stored to explain later why a session did what it did. No decision reads it.
 */
import { redact } from "./redact.ts"
import { cut } from "../domain/cut.ts"

/** In characters. A line that was cut has one more: its `…`. */
export const maxWireLineCharacters = 16 * 1024

/** Redacted with the line before it is cut, because a secret at the edge must be complete to be recognized. */
const edgeCharacters = 1_024

export const wireLine = (line: string, secrets: ReadonlyArray<string>): string => {
  const redacted = redact(line.slice(0, maxWireLineCharacters + edgeCharacters), secrets)
  // Copied by way of bytes: a substring keeps the whole string in memory, which may be 32 MiB.
  return redacted.length <= maxWireLineCharacters && line.length <= maxWireLineCharacters
    ? redacted
    : `${Buffer.from(cut(redacted, maxWireLineCharacters)).toString()}…`
}

export const wasCut = (line: string): boolean => line.length > maxWireLineCharacters

/** Takes the place of a line where a process ended: how it ended, and its stderr, which is redacted already. */
export const exitLine = (exit: { readonly code: number | null; readonly signal: string | null }, stderr: string) =>
  `${exit.signal === null ? `exit code ${exit.code ?? "unknown"}` : `signal ${exit.signal}`}${stderr === "" ? "" : `\n${stderr}`}`
