/** For how long a node has been in contact with the ledger, and when it holds off. */
import { assert, describe, it } from "@effect/vitest"
import type { Instant } from "../../src/agent/warden/instant.ts"
import { NodeContact } from "../../src/runtime/NodeContact.ts"

const lease = 10_000

const at = (millis: number, wall = millis): Instant => ({ wall: 1_000_000 + wall, monotonic: millis })

/** Renewed every fifth of a lease from 0 to this time; the database's clock is an hour ahead. */
const renewedUntil = (millis: number, contact = new NodeContact(lease, at(0))) => {
  for (let now = 0; now <= millis; now += lease / 5) renew(contact, now)
  return contact
}
const renew = (contact: NodeContact, now: number, database = now) =>
  contact.renewed({ began: at(now - 10), heard: at(now), at: 3_600_000 + database })

describe("a node's contact with the ledger", () => {
  it("is steady after a lease's length, and not any more after half of one without a renewal", () => {
    assert.isFalse(new NodeContact(lease, at(0)).isSteady(at(lease)))
    assert.isFalse(renewedUntil(8_000).isSteady(at(9_999)))
    const contact = renewedUntil(10_000)
    assert.isTrue(contact.isSteady(at(10_000)))
    assert.isTrue(contact.isSteady(at(15_000)))
    assert.isFalse(contact.isSteady(at(15_001)))
  })

  it("begins anew behind a pause, by the clock that says that more has passed", () => {
    const contact = renewedUntil(20_000)
    renew(contact, 25_001)
    assert.isFalse(contact.isSteady(at(25_001)))
    for (let now = 27_000; now <= 35_000; now += 2_000) renew(contact, now)
    assert.isFalse(contact.isSteady(at(35_000)))
    renew(contact, 35_001)
    assert.isTrue(contact.isSteady(at(35_001)))
    // The machine slept: its monotonic clock stood still.
    contact.renewed({ began: at(36_000, 46_000), heard: at(36_001, 46_001), at: 3_600_000 + 46_000 })
    assert.isFalse(contact.isSteady(at(36_001, 46_001)))
  })

  it("begins anew where the database's clock was set, and not where a commit took long", () => {
    for (const [database, isSteady] of [
      [22_000, true],
      [22_900, true],
      [24_000, false],
      [19_999, false]
    ] as const) {
      const contact = renewedUntil(20_000)
      renew(contact, 22_000, database)
      assert.strictEqual(contact.isSteady(at(22_000)), isSteady, String(database))
    }
    const slow = renewedUntil(20_000)
    slow.renewed({ began: at(20_100), heard: at(24_900), at: 3_600_000 + 24_800 })
    assert.isTrue(slow.isSteady(at(24_900)))
  })

  it("begins anew when the node holds off, which it does only out of contact", () => {
    const contact = renewedUntil(20_000)
    assert.isNull(contact.holdOff(at(23_000)))
    assert.isTrue(contact.isSteady(at(23_000)))
    assert.strictEqual(contact.holdOff(at(23_001)), lease)
    assert.isFalse(contact.isSteady(at(23_001)))
    for (let now = 24_000; now <= 32_000; now += 2_000) renew(contact, now)
    assert.isFalse(contact.isSteady(at(33_000)))
    assert.isTrue(contact.isSteady(at(33_001)))
    // Before its first renewal it knows nothing of itself.
    assert.isNull(new NodeContact(lease, at(0)).holdOff(at(50_000)))
  })
})
