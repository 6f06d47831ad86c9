/** What `troupe doctor --cluster` says of the nodes, by asking each as another node would. */
import { Clock, Effect, Exit } from "effect"
import type { Redacted } from "effect"
import type { Homes, Settings } from "../../domain/Settings.ts"
import { conversationHomes, examineNode, mostClockMillis, sharedSettings } from "../../wiring.ts"
import type { ConversationHome, DatabaseFacts, SharedSettings } from "../../wiring.ts"
import { version } from "../version.ts"
import { unless } from "./checks.ts"
import type { Check } from "./checks.ts"

type SeenNode = DatabaseFacts["nodes"][number]

const words: Readonly<Record<keyof SharedSettings, string>> = {
  agents: "the agents of troupe.config.json",
  limits: "the limits",
  lease: "TROUPE_NODE_LEASE",
  dataDir: "TROUPE_DATA_DIR",
  homes: "TROUPE_HOMES"
}

interface Here {
  readonly settings: SharedSettings
  readonly homes: ReadonlyArray<ConversationHome>
}

/** Of nodes that are to share the homes of agents: whether they see the same directories. */
const homesCheck = (what: string, here: Here, there: ReadonlyArray<Pick<ConversationHome, "inode" | "path">>) => {
  const known = new Set(there.map(({ inode, path }) => `${inode} ${path}`))
  const other = here.homes.filter(({ inode, path }) => inode === null || !known.has(`${inode} ${path}`))
  const named = other.map(
    ({ inode, path, variable }) => `${variable} ${path}${inode === null ? ", which is not here" : ""}`
  )
  return unless(
    other.length === 0,
    `${what}: homes`,
    other.length === 0 ? "the same directories as here" : `not the same as here: ${named.join("; ")}`,
    "TROUPE_HOMES is shared: mount one file system at the same path on every node, and name the directories on it by CODEX_HOME and CLAUDE_CONFIG_DIR. Where there is none, set TROUPE_HOMES=capsule.",
    // Who does not use that agent does not need its home.
    "warn"
  )
}

const checkNode = Effect.fnUntraced(function* (
  node: SeenNode,
  here: Here,
  secret: Redacted.Redacted<string>,
  at: number
) {
  const what = `node ${node.name}`
  const left = node.leaseUntil === null ? "without a lease" : `lease ${((node.leaseUntil - at) / 1000).toFixed(1)} s`
  const found = `${node.url ?? "no address"}, version ${node.version}, ${left}${node.draining ? ", draining" : ""}`
  if (node.url === null) return [unless(false, what, found, "Give it an address by TROUPE_NODE_URL.")]
  const before = yield* Clock.currentTimeMillis
  const asked = yield* Effect.exit(examineNode(node.url, secret))
  const after = yield* Clock.currentTimeMillis
  if (Exit.isFailure(asked)) {
    const remedy = `It does not answer a signed call at ${node.url}: check that this address leads to it from each machine (TROUPE_NODE_URL), and that TROUPE_CLUSTER_SECRET is the same there and here.`
    return [unless(false, what, found, remedy)]
  }
  const { homes = [], now, settings } = asked.value
  const mine = here.settings
  const ahead = now - (before + after) / 2
  const differing = (Object.keys(words) as Array<keyof SharedSettings>).filter(
    (name) => settings[name] !== undefined && settings[name] !== mine[name]
  )
  return [
    unless(
      node.version === version,
      what,
      `${found}, answers in ${after - before} ms`,
      `This is version ${version}: bring all nodes to one.`,
      "warn"
    ),
    unless(
      Math.abs(ahead) <= mostClockMillis + (after - before) / 2,
      `${what}: clock`,
      `${(Math.abs(ahead) / 1000).toFixed(1)} s ${ahead > 0 ? "ahead of" : "behind"} this machine's`,
      "Set both by NTP."
    ),
    unless(
      differing.length === 0,
      `${what}: settings`,
      differing.length === 0 ? "as here" : `not as here: ${differing.map((name) => words[name]).join(", ")}`,
      "Make them the same on all nodes: any of them may get any session."
    ),
    ...(mine.homes === "shared" && settings.homes === "shared" ? [homesCheck(what, here, homes)] : [])
  ]
})

const modes: Readonly<Record<Homes, string>> = {
  capsule: "capsule: conversations of codex and Claude Code go along by the database",
  shared: "shared: all nodes see the same CODEX_HOME and CLAUDE_CONFIG_DIR, or agents begin anew",
  local: "local: an agent that goes on on another node begins anew"
}

const modeCheck = (homes: Homes) =>
  unless(
    homes !== "local",
    "homes",
    modes[homes],
    "Set TROUPE_HOMES=capsule on all nodes, unless each session is to stay where it is.",
    "warn"
  )

export const nodeChecks = Effect.fnUntraced(function* (
  { at, nodes }: DatabaseFacts,
  settings: Settings,
  { leaseMillis, secret }: { readonly leaseMillis: number | null; readonly secret: Redacted.Redacted<string> }
): Effect.fn.Return<ReadonlyArray<Check>> {
  const here = { settings: sharedSettings(settings, leaseMillis ?? 0, secret), homes: yield* conversationHomes }
  const checks = yield* Effect.forEach(nodes, (node) => checkNode(node, here, secret, at), { concurrency: 8 })
  return [modeCheck(settings.homes ?? "capsule"), ...checks.flat()]
})
