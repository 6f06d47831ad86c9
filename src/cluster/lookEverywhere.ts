/** Looks at sessions on the nodes that own them. Of a node that does not answer it is said that it does not. */
import { Effect } from "effect"
import type { NodeToken, SessionId } from "../domain/Ids.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { NodeRecord } from "../ledger/Ledger.ts"
import { ThisNode } from "../runtime/ThisNode.ts"
import type { Looked } from "../supervision/Looked.ts"
import type { SessionHost } from "../supervision/SessionHost.ts"
import type { NodeClients } from "./nodeClients.ts"

/** When a node last renewed its lease, by the database's clock: all have the same length. `null`: it has none. */
export const lastSignOf = ({ leaseUntil }: NodeRecord, leaseMillis: number | null): number | null =>
  leaseUntil === null || leaseMillis === null ? null : leaseUntil - leaseMillis

/** A look is for somebody who waits for a page of sessions. */
const answerWithin = "2 seconds"

export const make = Effect.fnUntraced(function* (local: SessionHost["Service"], clientOf: NodeClients | null) {
  const ledger = yield* Ledger
  const { leaseMillis, token } = yield* ThisNode

  const lookAt = Effect.fnUntraced(function* (
    node: NodeRecord | null,
    sessions: ReadonlyArray<SessionId>,
    parts: Parameters<typeof local.look>[0]["parts"]
  ) {
    if (node === null) return yield* local.look({ sessions, parts })
    const unseen = sessions.map((session): Looked => ({
      _tag: "NotSeen",
      session,
      node: node.name,
      since: lastSignOf(node, leaseMillis)
    }))
    if (node.url === null || clientOf === null) return unseen
    const client = yield* clientOf(node.url)
    return yield* client.look({ sessions, parts }).pipe(
      Effect.timeout(answerWithin),
      Effect.orElseSucceed(() => unseen)
    )
  })

  const look: typeof local.look = Effect.fnUntraced(function* ({ parts, sessions }) {
    const owners = yield* ledger
      .ownersOf(sessions)
      .pipe(Effect.orElseSucceed((): ReadonlyMap<SessionId, NodeRecord> => new Map()))
    const byNode = new Map<NodeToken, { readonly node: NodeRecord | null; readonly sessions: Array<SessionId> }>()
    for (const session of sessions) {
      const owner = owners.get(session)
      const node = owner === undefined || owner.token === token ? null : owner
      const group = byNode.get(node?.token ?? token) ?? { node, sessions: [] }
      byNode.set(node?.token ?? token, group)
      group.sessions.push(session)
    }
    const looked = yield* Effect.forEach(byNode.values(), (group) => lookAt(group.node, group.sessions, parts), {
      concurrency: "unbounded"
    })
    const bySession = new Map(looked.flat().map((one) => [one.session, one]))
    return sessions.flatMap((session) => bySession.get(session) ?? [])
  })
  return look
})
