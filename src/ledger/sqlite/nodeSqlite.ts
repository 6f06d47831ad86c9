/**
 * SQLite as Node brings it. Loaded when this module runs, not while modules are linked: so the library's entry comes first, and
 * says which Node it needs to one that has no SQLite (`needsNode.ts`).
 */
import process from "node:process"
import type { DatabaseSync as Database } from "node:sqlite"

export const { DatabaseSync } = process.getBuiltinModule("node:sqlite")
export type DatabaseSync = Database
