/** What `troupe doctor` says of a PostgreSQL database. */
import type { DatabaseFacts } from "../../wiring.ts"
import { clockInWords, isClockOff, mostClockMillis } from "../../wiring.ts"
import { ok, unless } from "./checks.ts"
import type { Check } from "./checks.ts"

/** Of a node: one writes, four read, one listens. */
const connectionsOfNode = 6
/** Every step of a session waits for a commit: beyond these, sessions are slow for people. */
const slowRoundTripMillis = 5
const slowCommitMillis = 30
const oldestVersion = 140_000

const millis = (value: number) => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`

const connectionsCheck = ({ nodes, otherConnections, settings }: DatabaseFacts): Check => {
  const open = Number(settings.max_connections) - Number(settings.superuser_reserved_connections) - otherConnections
  // One more node can join, and commands run beside them.
  const needed = connectionsOfNode * (nodes.length + 1) + 3
  return unless(
    needed <= open,
    "connections",
    `${open} for Troupe, of which ${nodes.length} nodes and one more need ${needed}`,
    "Raise max_connections of the server.",
    "warn"
  )
}

const schemaCheck = ({ latestVersion, schemaVersion }: DatabaseFacts): Check => {
  if (schemaVersion === null) return ok("schema", "none yet: the first start makes it, or troupe migrate")
  const found = `version ${schemaVersion}`
  if (schemaVersion > latestVersion) {
    const remedy = `This Troupe knows versions up to ${latestVersion}: use the version of the nodes, or a newer one.`
    return unless(false, "schema", found, remedy)
  }
  return unless(
    schemaVersion === latestVersion,
    "schema",
    found,
    `This Troupe brings it to version ${latestVersion} when it starts, or with troupe migrate. Older ones do not start then.`,
    "warn"
  )
}

const pooled =
  "Connect to the server itself, or by a pooler in session mode: in transaction mode nodes hear nothing of each other, and locks do not hold."

export const databaseChecks = (facts: DatabaseFacts): ReadonlyArray<Check> => {
  const { clock, commitMillis, hasSessions, isStandby, notifyMillis, roundTripMillis, serverVersion, settings } = facts
  const lossy = settings.synchronous_commit === "off"
  return [
    unless(
      facts.versionNumber >= oldestVersion,
      "version",
      `PostgreSQL ${serverVersion}`,
      "Upgrade the server to PostgreSQL 14 or newer."
    ),
    unless(!isStandby, "writes", isStandby ? "a standby, which takes none" : "taken", "Connect to the primary."),
    unless(
      roundTripMillis <= slowRoundTripMillis,
      "round trip",
      `${millis(roundTripMillis)} (p50)`,
      "Run Troupe near its database: every step of a session waits for it.",
      "warn"
    ),
    ...(isStandby
      ? []
      : [
          unless(
            commitMillis <= slowCommitMillis,
            "commit",
            `${millis(commitMillis)} (p50)`,
            "Give the server's log a faster disk, or its standbys a shorter way.",
            "warn"
          )
        ]),
    unless(
      !isClockOff(clock),
      "clock",
      `this machine's is ${clockInWords(clock.aheadMillis)}`,
      `Set both by NTP: a node whose clock is off by more than ${mostClockMillis / 1000} s does not start.`
    ),
    ...(isStandby
      ? []
      : [
          unless(
            notifyMillis !== null,
            "notifications",
            notifyMillis === null ? "do not come through" : `come after ${millis(notifyMillis)}`,
            pooled
          )
        ]),
    unless(hasSessions, "sessions", hasSessions ? "keep their locks" : "do not keep their locks", pooled),
    unless(
      !lossy,
      "synchronous_commit",
      settings.synchronous_commit,
      "Turn it on: a crash of the server would lose what Troupe has acknowledged. Troupe does not start with it."
    ),
    unless(
      settings.fsync === "on",
      "fsync",
      settings.fsync,
      "Turn it on: a power failure would leave a damaged database."
    ),
    unless(
      settings.full_page_writes === "on",
      "full_page_writes",
      settings.full_page_writes,
      "Turn it on, unless the file system never tears a page: a power failure would leave a damaged database.",
      "warn"
    ),
    connectionsCheck(facts),
    schemaCheck(facts)
  ]
}
