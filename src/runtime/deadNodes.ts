/**
 * Which nodes one may declare dead that is in contact with the ledger for long enough (`NodeContact`). Pure.
 *
 * It goes by its own last renewal, which the database has dated by the clock that dated their leases: what is found so stays
 * true, whenever it is stored.
 */
import type { NodeToken } from "../domain/Ids.ts"
import type { NodeRecord } from "../ledger/Ledger.ts"

export interface DeadNode {
  readonly token: NodeToken
  readonly leaseUntil: number
}

/** `renewedAt`: the last renewal of this node that it has heard of, by the database's clock. */
export const deadNodes = (
  nodes: ReadonlyArray<NodeRecord>,
  self: NodeToken,
  renewedAt: number
): ReadonlyArray<DeadNode> =>
  nodes.flatMap(({ asks, asksUntil, isDead, leaseUntil, token }) => {
    if (token === self || isDead || leaseUntil === null || leaseUntil >= renewedAt) return []
    // Its agents may go on as long as those say that it asks, but no longer than that.
    const asksThis = asksUntil === null || asks.includes(self)
    return asksThis || asksUntil < renewedAt ? [{ token, leaseUntil }] : []
  })
