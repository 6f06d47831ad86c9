/**
 * Which node is to have a session that nobody owns: the one that has its work directory, else one of those with the most
 * room. Pure.
 *
 * Loads are as old as each node's last renewal of its lease. So one of the best two is chosen, that many requests at once do
 * not all go to the one that was best a moment ago; but not the second where it has no room and the first has. The node that
 * was asked keeps it where no other one has more room.
 */
import type { NodeLoad, NodePlace, NodeRecord } from "../ledger/Ledger.ts"

export interface Choice {
  readonly nodes: ReadonlyArray<NodeRecord>
  /** The one that chooses: its load is fresh, and it needs no address. */
  readonly self: NodeRecord | undefined
  readonly selfLoad: NodeLoad | null
  readonly leaseMillis: number
  readonly place: NodePlace
  /** Work directories are not on each node. */
  readonly prefersHome: boolean
  /** From 0 to 1. */
  readonly chance: number
}

/** `null`: none takes this session. */
export const choose = (choice: Choice): NodeRecord | null => {
  const { chance, leaseMillis, nodes, place, prefersHome, self, selfLoad } = choice
  const loadOf = (node: NodeRecord) => (node.token === self?.token ? selfLoad : node.load)
  const isSelf = (node: NodeRecord) => node.token === self?.token
  // Leases are all by the database's clock: one that ends long before this node's was not renewed for as long.
  const freshFrom = (self?.leaseUntil ?? 0) - leaseMillis / 2
  const takes = (node: NodeRecord) =>
    node.chart >= place.chart &&
    !node.draining &&
    !node.drainAsked &&
    (isSelf(node) || (node.url !== null && (node.leaseUntil ?? 0) >= freshFrom))
  const open = nodes.filter(takes)
  const works = open.filter((node) => loadOf(node)?.broken.includes(place.agent) !== true)
  // Where its circuit is open everywhere, any node says so.
  const candidates = works.length === 0 ? open : works
  const home = prefersHome ? candidates.find(({ name }) => name === place.home) : undefined
  if (home !== undefined) return home
  const ranked = candidates
    .map((node) => ({ node, use: useOf(loadOf(node)) }))
    .sort((a, b) => a.use - b.use || Number(isSelf(b.node)) - Number(isSelf(a.node)))
  const [best, second] = ranked
  if (best === undefined) return null
  // No other one has more room: nothing is to be sent there, and what was brought here for the session is here.
  if (isSelf(best.node)) return best.node
  if (second === undefined || (best.use < 1 && second.use >= 1)) return best.node
  return chance < 0.5 ? best.node : second.node
}

/** Of its slots, how much is held or waited for; a node that does not tell is taken for full. */
const useOf = (load: NodeLoad | null): number =>
  load === null ? 1 : (load.held + load.waiting) / Math.max(1, load.size)
