/** Which nodes another one may declare dead. */
import { assert, it } from "@effect/vitest"
import { NodeToken } from "../../src/domain/Ids.ts"
import type { NodeRecord } from "../../src/ledger/Ledger.ts"
import { deadNodes } from "../../src/runtime/deadNodes.ts"

const [self, other] = [NodeToken.make("node_self"), NodeToken.make("node_other")]

const node = (more: Partial<NodeRecord>): NodeRecord => ({
  token: other,
  name: "other",
  url: null,
  version: "1",
  chart: 1,
  joinedAt: 0,
  leaseUntil: 1_000,
  isDead: false,
  asks: [],
  asksUntil: null,
  draining: false,
  drainAsked: false,
  load: null,
  ...more
})

const isDead = (more: Partial<NodeRecord>, renewedAt: number) => deadNodes([node(more)], self, renewedAt).length === 1

it("a node is dead whose lease was over when this one renewed its own", () => {
  assert.isFalse(isDead({}, 1_000))
  assert.isTrue(isDead({}, 1_001))
  assert.deepStrictEqual(deadNodes([node({})], self, 1_001), [{ token: other, leaseUntil: 1_000 }])
  assert.isFalse(isDead({ isDead: true }, 1_001))
  assert.isFalse(isDead({ leaseUntil: null }, 1_001))
  assert.isFalse(isDead({ token: self }, 1_001))
})

it("one that asks others, and not this one, is dead only when its time beyond the lease is over", () => {
  assert.isFalse(isDead({ asks: [], asksUntil: 5_000 }, 5_000))
  assert.isTrue(isDead({ asks: [], asksUntil: 5_000 }, 5_001))
  assert.isTrue(isDead({ asks: [other, self], asksUntil: 5_000 }, 1_001))
  assert.isFalse(isDead({ asks: [self], asksUntil: 5_000 }, 1_000))
})
