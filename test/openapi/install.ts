/** Installs the pinned linters and generators beside this file: 80 MB, ten seconds. */
import { installFromLock } from "../installFromLock.ts"

/** Vitest calls it before the first test. */
export default function setup(): void {
  installFromLock(import.meta.dirname, "linters and generators of clients (80 MB, once)")
}
