/** The settings that must be the same on all nodes, as a node says what its own are without saying them. */
import { Redacted, Schema } from "effect"
import { createHmac } from "node:crypto"
import { resolve } from "node:path"
import type { Settings } from "../domain/Settings.ts"

/** The names of settings, as people know them; each value is the same where the settings are. */
export const SharedSettings = Schema.Struct({
  agents: Schema.String,
  limits: Schema.String,
  lease: Schema.String,
  dataDir: Schema.String,
  /** What becomes of agents' conversations. Absent: of a version that does not say so. */
  homes: Schema.optionalKey(Schema.String)
})
export type SharedSettings = typeof SharedSettings.Type

/** What a node says to who examines the cluster. */
export const NodeExamined = Schema.Struct({
  /** By its clock, in milliseconds since 1970. */
  now: Schema.Finite,
  settings: SharedSettings,
  /** Where agents keep their conversations. Absent: of a version that does not say so. */
  homes: Schema.optionalKey(
    Schema.Array(Schema.Struct({ variable: Schema.String, path: Schema.String, inode: Schema.NullOr(Schema.String) }))
  )
})
export type NodeExamined = typeof NodeExamined.Type

/** Members in one order, wherever they were written. */
const canonical = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(canonical)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [name, canonical(member)])
  )
}

/**
 * Agents have keys in their environment: only who has the cluster's secret can tell whether a guess of one is right, and who
 * has it may run anything anyway.
 */
export const sharedSettings = (
  { agents, dataDir, defaultAgent, homes = "capsule", limits, mcpServers, run }: Settings,
  leaseMillis: number,
  secret: Redacted.Redacted<string>
): SharedSettings => {
  const digest = (value: unknown) =>
    createHmac("sha256", Redacted.value(secret))
      .update(JSON.stringify(canonical(value)))
      .digest("hex")
      .slice(0, 16)
  // Of a machine, not of all.
  const { maxProcesses: _, warmSpares: __, ...shared } = limits
  return {
    agents: digest({ agents, defaultAgent, mcpServers, run }),
    limits: digest(shared),
    lease: `${leaseMillis / 1000} s`,
    dataDir: resolve(dataDir),
    homes
  }
}
