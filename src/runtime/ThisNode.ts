/**
 * This Troupe as a node: one of those that work on the same ledger, each for the sessions that it owns.
 *
 * A row of the ledger says who owns a session, and every commit checks it. So a node that others believed dead loses
 * nothing while nobody has claimed its sessions, and can write nothing for those that somebody has.
 *
 * An agent must not run on two nodes. What a node started is ended before its lease is over, by its warden: it is told with
 * each renewal until when the agents may run, and none comes from a node that is dead, is stopped, hangs or can't reach the
 * ledger (decision 0026), but where no other node reaches it either (`beyondLease.ts`, decision 0034). A node that starts an
 * agent renews its lease in the same commit, so that nobody takes the session over meanwhile.
 *
 * A node whose lease is over is not dead yet: another one declares it so (`deadNodes.ts`), and then anyone may claim its sessions.
 */
import { Clock, Context, Effect, Layer, Option, Schedule, Semaphore } from "effect"
import { chartVersion } from "../../machines/session/restore.ts"
import { Processes } from "../agent/Processes.ts"
import { millisBetween } from "../agent/warden/instant.ts"
import type { Instant } from "../agent/warden/instant.ts"
import { newNodeToken } from "../domain/Ids.ts"
import type { LeaseId, NodeToken, SessionId } from "../domain/Ids.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { Claim, LedgerWrite, NodeLoad } from "../ledger/Ledger.ts"
import { LedgerError } from "../ledger/LedgerError.ts"
import * as BeyondLease from "./beyondLease.ts"
import { now } from "./beyondLease.ts"
import type { Ask } from "./beyondLease.ts"
import { deadNodes } from "./deadNodes.ts"
import { DrainState } from "./DrainState.ts"
import { NewerSession } from "./errors.ts"
import { NodeContact } from "./NodeContact.ts"
import { RuntimeSettings } from "./RuntimeSettings.ts"

/** A lease is renewed so many times before it would be over. */
const renewalsPerLease = 5
/** Behind the end of another node's lease, when it is looked at whether that is renewed. */
const justAfterMillis = 5

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
    /** How another node is asked to hold off. Until it is told, none can be, and agents end with the lease. */
    readonly askBy: (ask: Ask) => void
    /**
     * Another node asks this one to hold off, by the token of the one that it means: for how long it declares nobody dead, in
     * milliseconds. `null`: it does not hold off, for it reaches the ledger, or is another one.
     */
    readonly holdOff: (asked: NodeToken) => Effect.Effect<number | null>
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
      const { limits, node: { leaseMillis, name, place, url, version } = alone } = yield* RuntimeSettings
      const token = newNodeToken()
      const joined = ledger.write([
        {
          _tag: "NodeJoined",
          node: { token, name, url, version, chart: chartVersion },
          leaseMillis,
          ...(place === undefined ? {} : { place })
        }
      ])
      let storeLease: ThisNode["Service"]["storeLease"] = (_, write, entries) => write(entries)
      let renewNow: Effect.Effect<void> = Effect.void
      let hearClaim: (session: SessionId) => void = () => {}
      let holdOff: Effect.Effect<number | null> = Effect.succeed(null)
      let loadAt: (now: number) => NodeLoad | null = () => null
      let ask: Ask = () => Effect.succeed(null)

      if (leaseMillis === null) yield* joined
      else {
        const waitMillis = leaseMillis / renewalsPerLease
        const { mayRunUntil } = processes
        const beyondMillis = limits.ledgerPatienceMillis + leaseMillis
        const beyond = BeyondLease.make({ leaseMillis, beyondMillis, ask: (node) => ask(node), mayRunUntil })
        const extending = Effect.fnUntraced(function* <E, R>(commit: Effect.Effect<void, E, R>) {
          const began = yield* now
          yield* commit
          yield* beyond.renewed(began)
          return began
        })
        const join = Effect.sync(beyond.forget).pipe(Effect.andThen(extending(joined)))
        const renewal = () => ({ _tag: "NodeRenewed", token, leaseMillis, draining: draining() }) as const
        storeLease = Effect.fnUntraced(function* (lease, write, entries) {
          let rest = entries
          do {
            // Before the commit: this node may be stopped, or the ledger away, in the middle of it.
            yield* processes.hold(lease)
            yield* extending(write([renewal(), ...rest]))
            rest = []
          } while (!(yield* processes.mayStart(lease)))
        })
        // The same node, started again after it was killed, waits until its lease before is over.
        const overdue = Schedule.max([Schedule.spaced(waitMillis), Schedule.recurs(2 * renewalsPerLease)])
        yield* Effect.retry(join, { schedule: overdue, while: isUnmet })
        const contact = new NodeContact(leaseMillis, yield* now)
        holdOff = Effect.map(now, (at) => contact.holdOff(at))

        /** Looks at the others behind a renewal. Returns when to look again at the latest. */
        const look = Effect.fnUntraced(function* (began: Instant, told: ReadonlyArray<NodeToken>) {
          const read = yield* Effect.timeoutOption(ledger.nodesBeside(token), leaseMillis / 2)
          const rows = Option.getOrElse(read, () => [])
          const own = rows.find(({ node }) => node.token === token)
          if (own === undefined || own.node.leaseUntil === null) return waitMillis
          const heard = yield* now
          const renewedAt = own.node.leaseUntil - leaseMillis
          contact.renewed({ began, heard, at: renewedAt })
          const others = rows.flatMap(({ node }) => (node.token === token ? [] : [node]))
          beyond.toldAll(began, told, others)
          const dead = contact.isSteady(heard) ? deadNodes(others, token, renewedAt) : []
          if (dead.length > 0) yield* ledger.write(dead.map((node) => ({ _tag: "NodeDeclaredDead", ...node })))
          // What an operator asks of it. Others are told at once what it makes of that, and whom it asks.
          if (setAside(own.node.drainAsked) || others.some((node) => !told.includes(node.token))) return 0
          // The ledger was away, and this renewal is good for nothing any more: it counts from its begin.
          if (millisBetween(began, heard) > waitMillis) return 0
          const ends = others.map(({ leaseUntil }) => (leaseUntil ?? 0) - own.at + justAfterMillis)
          return Math.min(waitMillis, ...ends.filter((millis) => millis >= justAfterMillis))
        })
        const oneAtATime = yield* Semaphore.make(1)
        const renew = Effect.gen(function* () {
          const load = loadAt(yield* Clock.currentTimeMillis)
          const told = beyond.asks()
          const entry = { ...renewal(), beyond: { asks: told, millis: beyondMillis } }
          const began = yield* extending(ledger.write([{ ...entry, ...(load === null ? {} : { load }) }]))
          return yield* look(began, told)
        }).pipe(oneAtATime.withPermit)
        renewNow = Effect.ignore(renew)
        yield* renew.pipe(
          // It was away for so long that its row is gone.
          Effect.catchIf(isUnmet, () => Effect.as(join, 0)),
          // A renewal that fails costs nothing yet: this node still owns what nobody else has claimed.
          Effect.orElseSucceed(() => waitMillis),
          Effect.flatMap(Effect.sleep),
          Effect.forever,
          Effect.forkScoped
        )
        yield* Effect.forkScoped(beyond.watch)
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
        askBy: (by) => void (ask = by),
        holdOff: (asked) => (asked === token ? holdOff : Effect.succeed(null)),
        renew: renewNow,
        storeLease,
        claim: Effect.fnUntraced(function* (session) {
          const before = yield* ledger.claimOf(session)
          if (Option.isNone(before)) return null
          if (before.value?.owner === token) return before.value
          const claim = { _tag: "SessionClaimed", session, owner: token, chart: chartVersion } as const
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
const alone = { name: "alone", url: null, version: "", leaseMillis: null, place: undefined }
