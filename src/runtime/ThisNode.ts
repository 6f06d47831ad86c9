/**
 * This Troupe as a node: one of those that work on the same ledger, each for the sessions that it owns.
 *
 * A row of the ledger says who owns a session, and every commit checks it. So a node that others believed dead loses
 * nothing while nobody has claimed its sessions, and can write nothing for those that somebody has.
 */
import { Context, Effect, Layer, Option, Schedule } from "effect"
import { newNodeToken } from "../domain/Ids.ts"
import type { NodeToken, SessionId } from "../domain/Ids.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { Claim, LedgerError } from "../ledger/Ledger.ts"
import { DrainState } from "./DrainState.ts"
import { RuntimeSettings } from "./RuntimeSettings.ts"

/** A lease is renewed so many times before it would be over. */
const renewalsPerLease = 5

export class ThisNode extends Context.Service<
  ThisNode,
  {
    readonly token: NodeToken
    readonly name: string
    /** It works on the ledger alone: whatever another one left is its own now. */
    readonly isAlone: boolean
    /** How long others leave its sessions alone without a sign of life; `null`: there are no others. */
    readonly leaseMillis: number | null
    /**
     * The session's claim by this node, made where there is none. Fails as `fenced` while another living node owns the
     * session; `null`: there is no such session.
     */
    readonly claim: (session: SessionId) => Effect.Effect<Claim | null, LedgerError>
  }
>()("troupe/runtime/ThisNode") {
  static readonly layer = Layer.effect(
    ThisNode,
    Effect.gen(function* () {
      const ledger = yield* Ledger
      const { draining } = yield* DrainState
      const { node: { leaseMillis, name, url, version } = alone } = yield* RuntimeSettings
      const token = newNodeToken()
      const joined = ledger.write([{ _tag: "NodeJoined", node: { token, name, url, version }, leaseMillis }])
      if (leaseMillis === null) yield* joined
      else {
        const waits = Schedule.spaced(leaseMillis / renewalsPerLease)
        // The same node, started again after it was killed, waits until its lease before is over.
        const overdue = Schedule.max([waits, Schedule.recurs(2 * renewalsPerLease)])
        yield* Effect.retry(joined, { schedule: overdue, while: ({ kind }) => kind === "unmet" })
        const renewed = Effect.suspend(() =>
          ledger.write([{ _tag: "NodeRenewed", token, leaseMillis, draining: draining() }])
        )
        // A renewal that fails costs nothing yet: this node still owns what nobody else has claimed.
        yield* renewed.pipe(Effect.ignore, Effect.repeat(waits), Effect.forkScoped)
      }
      yield* Effect.addFinalizer(() => Effect.ignore(ledger.write([{ _tag: "NodeLeft", token }])))

      return ThisNode.of({
        token,
        name,
        isAlone: leaseMillis === null,
        leaseMillis,
        claim: Effect.fnUntraced(function* (session) {
          const before = yield* ledger.claimOf(session)
          if (Option.isNone(before)) return null
          if (before.value?.owner === token) return before.value
          yield* ledger.write([{ _tag: "SessionClaimed", session, owner: token }])
          return Option.getOrNull(yield* ledger.claimOf(session))
        })
      })
    })
  )
}

/** Without a name nobody else looks for it. */
const alone = { name: "alone", url: null, version: "", leaseMillis: null }
