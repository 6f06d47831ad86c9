/**
 * This Troupe as a node: one of those that work on the same ledger, each for the sessions that it owns.
 *
 * A row of the ledger says who owns a session, and every commit checks it. So a node that others believed dead loses
 * nothing while nobody has claimed its sessions, and can write nothing for those that somebody has.
 *
 * An agent must not run on two nodes. What a node started is ended before its lease is over, by its warden: it is told with
 * each renewal until when the agents may run, and none comes from a node that is dead, is stopped, hangs or can't reach the
 * ledger (decision 0026). A node that starts an agent renews its lease in the same commit, so that nobody takes the session
 * over meanwhile; and who could not reach the ledger itself leaves the others a lease's length to renew theirs, before it
 * takes them for dead.
 */
import { Clock, Context, Effect, Layer, Option, Schedule } from "effect"
import { chartVersion } from "../../machines/session/restore.ts"
import { Processes } from "../agent/Processes.ts"
import { later, millisBetween } from "../agent/warden/instant.ts"
import type { Instant } from "../agent/warden/instant.ts"
import { newNodeToken } from "../domain/Ids.ts"
import type { LeaseId, NodeToken, SessionId } from "../domain/Ids.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { Claim, LedgerWrite, NodeLoad } from "../ledger/Ledger.ts"
import { LedgerError } from "../ledger/LedgerError.ts"
import { DrainState } from "./DrainState.ts"
import { NewerSession } from "./errors.ts"
import { RuntimeSettings } from "./RuntimeSettings.ts"

/** A lease is renewed so many times before it would be over. */
const renewalsPerLease = 5
/** Agents may run for this part of a lease without another renewal. The rest is for ending them. */
const sureOfLease = 0.7

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
    readonly claim: (session: SessionId) => Effect.Effect<Claim | null, LedgerError | NewerSession>
    /** What to tell others of this node's load, with each renewal; `now` in milliseconds since 1970. */
    readonly loadIs: (read: (now: number) => NodeLoad) => void
    /** Called when this node has claimed a session that it did not have. */
    readonly whenClaimed: (hear: (session: SessionId) => void) => void
    /** `null`: there is nothing to tell. */
    readonly load: (now: number) => NodeLoad | null
    /** Renews the lease now, and tells with it what others are to know: whether this node drains. */
    readonly renew: Effect.Effect<void>
    /**
     * Stores, by a write that checks the session's claim, what a lease's first process is started behind. Where there are
     * others this node's lease is renewed in the same commit, and again until one is whole before the agents' time is over.
     */
    readonly storeLease: (
      lease: LeaseId,
      write: (entries: ReadonlyArray<LedgerWrite>) => Effect.Effect<void, LedgerError>,
      entries: ReadonlyArray<LedgerWrite>
    ) => Effect.Effect<void, LedgerError>
  }
>()("troupe/runtime/ThisNode") {
  static readonly layer = Layer.effect(
    ThisNode,
    Effect.gen(function* () {
      const ledger = yield* Ledger
      const processes = yield* Processes
      const { draining, setAside } = yield* DrainState
      const { node: { leaseMillis, name, url, version } = alone } = yield* RuntimeSettings
      const token = newNodeToken()
      const joined = ledger.write([
        { _tag: "NodeJoined", node: { token, name, url, version, chart: chartVersion }, leaseMillis }
      ])
      /** The ledger can be reached for at least a lease's length. */
      let isSteady: Effect.Effect<boolean> = Effect.succeed(true)
      let storeLease: ThisNode["Service"]["storeLease"] = (_, write, entries) => write(entries)
      let renewNow: Effect.Effect<void> = Effect.void
      let hearClaim: (session: SessionId) => void = () => {}
      let loadAt: (now: number) => NodeLoad | null = () => null

      if (leaseMillis === null) yield* joined
      else {
        const waits = Schedule.spaced(leaseMillis / renewalsPerLease)
        const sureMillis = leaseMillis * sureOfLease
        /** Counted from before the commit, since nobody here knows when in it the ledger set the lease. */
        const extending = Effect.fnUntraced(function* <E, R>(commit: Effect.Effect<void, E, R>) {
          const before = yield* now
          yield* commit
          yield* processes.mayRunUntil(later(before, sureMillis))
        })
        const renewal = () => ({ _tag: "NodeRenewed", token, leaseMillis, draining: draining() }) as const
        const renew = extending(
          Effect.flatMap(Clock.currentTimeMillis, (at) => {
            const load = loadAt(at)
            return ledger.write([{ ...renewal(), ...(load === null ? {} : { load }) }])
          })
        )
        renewNow = Effect.ignore(renew)
        storeLease = Effect.fnUntraced(function* (lease, write, entries) {
          let rest = entries
          do {
            // Before the commit: this node may be stopped, or the ledger away, in the middle of it.
            yield* processes.hold(lease)
            yield* extending(write([renewal(), ...rest]))
            rest = []
          } while (!(yield* processes.mayStart(lease)))
        })
        /** What an operator asks of it. Others are told at once what it makes of that. */
        const hear = ledger.node(token).pipe(
          Effect.map(Option.exists(({ drainAsked }) => drainAsked)),
          Effect.flatMap((isAsked) => (setAside(isAsked) ? renew : Effect.void))
        )
        // The same node, started again after it was killed, waits until its lease before is over.
        const overdue = Schedule.max([waits, Schedule.recurs(2 * renewalsPerLease)])
        yield* Effect.retry(extending(joined), { schedule: overdue, while: isUnmet })
        const contact = yield* makeContact(leaseMillis)
        isSteady = contact.isSteady
        yield* renew.pipe(
          // It was away for so long that its row is gone.
          Effect.catchIf(isUnmet, () => extending(joined)),
          Effect.andThen(contact.made),
          Effect.andThen(hear),
          // A renewal that fails costs nothing yet: this node still owns what nobody else has claimed.
          Effect.ignore,
          Effect.repeat(waits),
          Effect.forkScoped
        )
      }
      // Later, so that a ledger that is away does not keep this process from its end.
      yield* Effect.addFinalizer(() => ledger.writeLater([{ _tag: "NodeLeft", token }]))

      return ThisNode.of({
        token,
        name,
        isAlone: leaseMillis === null,
        leaseMillis,
        loadIs: (read) => void (loadAt = read),
        whenClaimed: (hear) => void (hearClaim = hear),
        load: (at) => loadAt(at),
        renew: renewNow,
        storeLease,
        claim: Effect.fnUntraced(function* (session) {
          const before = yield* ledger.claimOf(session)
          if (Option.isNone(before)) return null
          if (before.value?.owner === token) return before.value
          const onlyIfLeft = !(yield* isSteady)
          const claim = { _tag: "SessionClaimed", session, owner: token, onlyIfLeft, chart: chartVersion } as const
          yield* ledger.write([claim]).pipe(
            Effect.catch(
              Effect.fnUntraced(function* (refused) {
                if (refused.kind !== "fenced") return yield* refused
                const { chart } = Option.getOrElse(yield* ledger.placeOf(session), () => ({ chart: chartVersion }))
                return yield* Effect.fail(chart > chartVersion ? new NewerSession({ id: session }) : refused)
              })
            )
          )
          const after = yield* ledger.claimOf(session)
          if (Option.isNone(after)) return null
          if (after.value?.owner === token) {
            hearClaim(session)
            return after.value
          }
          // This node was stopped, or its answer was lost, for so long that another one has claimed it since, or let go of it.
          return yield* new LedgerError({
            operation: "claim the session",
            cause: "it is another's by now",
            kind: "fenced"
          })
        })
      })
    })
  )
}

const isUnmet = ({ kind }: LedgerError) => kind === "unmet"

/** Without a name nobody else looks for it. */
const alone = { name: "alone", url: null, version: "", leaseMillis: null }

const now: Effect.Effect<Instant> = Effect.zipWith(
  Clock.currentTimeMillis,
  Clock.monotonicTimeNanos,
  (wall, nanos) => ({
    wall,
    monotonic: Number(nanos / 1_000_000n)
  })
)

/**
 * For how long the ledger can be reached without a pause of half a lease. Time is measured by both clocks, and the longer
 * one counts: one may be set, the other stands still while the machine sleeps.
 */
const makeContact = Effect.fnUntraced(function* (leaseMillis: number) {
  const isPause = (from: Instant, to: Instant) => millisBetween(from, to) > leaseMillis / 2
  let last = yield* now
  let since = last
  return {
    made: Effect.map(now, (now) => {
      if (isPause(last, now)) since = now
      last = now
    }),
    isSteady: Effect.map(now, (now) => !isPause(last, now) && now.monotonic - since.monotonic >= leaseMillis)
  }
})
