/** What `troupe doctor --cluster` says of the nodes, by asking each as another node would. */
import { Clock, Effect, Exit } from "effect"
import type { Redacted } from "effect"
import type { Settings } from "../../domain/Settings.ts"
import { examineNode, mostClockMillis, sharedSettings } from "../../wiring.ts"
import type { DatabaseFacts, SharedSettings } from "../../wiring.ts"
import { version } from "../version.ts"
import { unless } from "./checks.ts"
import type { Check } from "./checks.ts"

type SeenNode = DatabaseFacts["nodes"][number]

const words: Readonly<Record<keyof SharedSettings, string>> = {
  agents: "the agents of troupe.config.json",
  limits: "the limits",
  lease: "TROUPE_NODE_LEASE",
  dataDir: "TROUPE_DATA_DIR"
}

const checkNode = Effect.fnUntraced(function* (
  node: SeenNode,
  mine: SharedSettings,
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
  const { now, settings } = asked.value
  const ahead = now - (before + after) / 2
  const differing = (Object.keys(words) as Array<keyof SharedSettings>).filter((name) => settings[name] !== mine[name])
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
    )
  ]
})

export const nodeChecks = Effect.fnUntraced(function* (
  { at, nodes }: DatabaseFacts,
  settings: Settings,
  { leaseMillis, secret }: { readonly leaseMillis: number | null; readonly secret: Redacted.Redacted<string> }
): Effect.fn.Return<ReadonlyArray<Check>> {
  const mine = sharedSettings(settings, leaseMillis ?? 0, secret)
  const checks = yield* Effect.forEach(nodes, (node) => checkNode(node, mine, secret, at), { concurrency: 8 })
  return checks.flat()
})
