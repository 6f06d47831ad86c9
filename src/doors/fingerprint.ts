import { createHash } from "node:crypto"

/** What a session or a turn remembers of a request, to know the same one again. */
export const fingerprintOf = (value: unknown): string =>
  createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 32)
