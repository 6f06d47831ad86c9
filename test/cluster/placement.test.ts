/** Which node is to have a session that nobody owns. */
import { assert, describe, it } from "@effect/vitest"
import { choose } from "../../src/cluster/placement.ts"
import type { Choice } from "../../src/cluster/placement.ts"
import { NodeToken } from "../../src/domain/Ids.ts"
import type { NodeLoad, NodeRecord } from "../../src/ledger/Ledger.ts"

const load = (held: number, waiting = 0, broken: ReadonlyArray<string> = []): NodeLoad => ({
  held,
  waiting,
  size: 10,
  broken
})

const node = (name: string, more: Partial<NodeRecord> = {}): NodeRecord => ({
  token: NodeToken.make(name),
  name,
  url: `http://${name}`,
  version: "1",
  chart: 1,
  joinedAt: 0,
  leaseUntil: 10_000,
  isDead: false,
  asks: [],
  asksUntil: null,
  draining: false,
  drainAsked: false,
  load: load(0),
  ...more
})

/** The names of those that are chosen, by both sides of the coin. */
const chosen = (nodes: ReadonlyArray<NodeRecord>, more: Partial<Choice> = {}) =>
  [0, 0.99].map(
    (chance) =>
      choose({
        nodes,
        self: nodes[0],
        selfLoad: nodes[0]?.load ?? null,
        leaseMillis: 4_000,
        place: { agent: "demo", home: null, chart: 1 },
        prefersHome: true,
        chance,
        ...more
      })?.name ?? null
  )

describe("a session that nobody owns", () => {
  it("goes to one of the two nodes that have the most room", () => {
    const nodes = [node("a", { load: load(5) }), node("b", { load: load(1) }), node("c", { load: load(0, 2) })]
    assert.deepStrictEqual(chosen(nodes), ["b", "c"])
    // But stays where no other one has more.
    assert.deepStrictEqual(chosen(nodes, { selfLoad: load(1) }), ["a", "a"])
    // By parts of what each has.
    const large = node("d", { load: { held: 5, waiting: 0, size: 100, broken: [] } })
    assert.deepStrictEqual(chosen([...nodes, large]), ["d", "b"])
  })

  it("goes to none without room while another one has some", () => {
    const full = node("a", { load: load(10) })
    assert.deepStrictEqual(chosen([full, node("b", { load: load(9) })]), ["b", "b"])
    assert.deepStrictEqual(chosen([full, node("b", { load: load(10, 3) })]), ["a", "a"])
    // Nor to one that tells nothing of its load.
    assert.deepStrictEqual(chosen([node("a"), node("b", { load: null })]), ["a", "a"])
    // The one that chooses knows its own.
    assert.deepStrictEqual(chosen([node("a"), node("b")], { selfLoad: load(10) }), ["b", "b"])
  })

  it("goes to no node that drains, is not heard of, has no address, or does not start this agent", () => {
    const others = [
      node("b", { draining: true }),
      node("c", { drainAsked: true }),
      node("d", { leaseUntil: 7_000 }),
      node("e", { url: null }),
      node("f", { load: load(0, 0, ["demo"]) })
    ]
    assert.deepStrictEqual(chosen([node("a", { load: load(9) }), ...others]), ["a", "a"])
    // The one that chooses needs no address.
    assert.deepStrictEqual(chosen([node("a", { url: null }), ...others]), ["a", "a"])
    assert.deepStrictEqual(chosen([node("a", { draining: true }), ...others.slice(0, 4)]), [null, null])
    // Broken everywhere: any of them says so.
    assert.deepStrictEqual(chosen([node("f", { load: load(0, 0, ["demo"]) })]), ["f", "f"])
  })

  it("goes to the node that has its directory, unless that takes none, or all have it", () => {
    const nodes = [node("a"), node("b", { load: load(10, 5) })]
    const place = { agent: "demo", home: "b", chart: 1 }
    assert.deepStrictEqual(chosen(nodes, { place }), ["b", "b"])
    assert.deepStrictEqual(chosen(nodes, { place, prefersHome: false }), ["a", "a"])
    assert.deepStrictEqual(chosen([node("a"), node("b", { draining: true })], { place }), ["a", "a"])
    assert.deepStrictEqual(chosen([node("a")], { place }), ["a", "a"])
  })

  it("goes to no node of a version that does not know its chart, whatever room that has", () => {
    const place = { agent: "demo", home: "a", chart: 2 }
    const later = node("b", { chart: 2, load: load(10, 5) })
    assert.deepStrictEqual(chosen([node("a"), later], { place }), ["b", "b"])
    assert.deepStrictEqual(chosen([node("a"), node("b")], { place }), [null, null])
  })
})
