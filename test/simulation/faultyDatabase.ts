/** A database that can be away, slow, refuse a transaction, or lose its answer; and that a killed Troupe can't reach. */
import { Effect, Semaphore } from "effect"
import { LedgerError } from "../../src/ledger/LedgerError.ts"
import type { LedgerErrorKind } from "../../src/ledger/LedgerError.ts"
import type { NodeToken, SessionId } from "../../src/domain/Ids.ts"
import type { Database, Write } from "../../src/ledger/sql/Database.ts"
import type { Incarnation } from "./Incarnation.ts"

export interface DatabaseFaults {
  /** Until this time no transaction is taken. */
  awayUntil: number
  /** By its name, a node that takes no transaction there until this time: for the others it is not away. */
  readonly cutOff: Map<string, number>
  /** Each transaction takes so long. */
  slowMillis: number
  /** So many of the next transactions fail for a reason that does not pass. */
  refusals: number
  /** So many of the next transactions are stored, and reported as failed. */
  lostAnswers: number
  /** When something was refused last: actors may have died of it, and come back within some minutes. */
  refusedAt: number
  /** When it was away last: actors may rest for some seconds. */
  awayAt: number
  /** Whoever commits. */
  readonly alone: Semaphore.Semaphore
  /** How many there were. */
  transactions: number
  /** What was logged as a defect although nothing was refused. */
  defect: string | null
}

export const noFaults = (): DatabaseFaults => ({
  awayUntil: 0,
  cutOff: new Map(),
  slowMillis: 0,
  refusals: 0,
  lostAnswers: 0,
  refusedAt: Number.NEGATIVE_INFINITY,
  awayAt: Number.NEGATIVE_INFINITY,
  alone: Semaphore.makeUnsafe(1),
  transactions: 0,
  defect: null
})

export const faultyDatabase = (db: Database, faults: DatabaseFaults, runtime: Incarnation): Database => {
  const { world } = runtime.surroundings
  const failed = (operation: string, reason: string, kind: LedgerErrorKind) =>
    new LedgerError({ operation, cause: new Error(reason), kind })
  const killed = (operation: string) => failed(operation, "Troupe was killed", "refused")

  return {
    dialect: db.dialect,
    settled: db.settled,
    all: (operation, text, params, decode) =>
      Effect.suspend(() =>
        runtime.isAlive ? runtime.outside(db.all(operation, text, params, decode)) : Effect.fail(killed(operation))
      ),
    commit: (operation, statements) =>
      Effect.gen(function* () {
        yield* Effect.exit(runtime.crossing(`before it can ${operation}`))
        if (!runtime.isAlive) return yield* killed(operation)
        if (faults.slowMillis > 0) yield* Effect.sleep(faults.slowMillis)
        if (!runtime.isAlive) return yield* killed(operation)
        if (faults.awayUntil > world.now) {
          faults.awayAt = world.now
          return yield* failed(operation, "the disk is full", "full")
        }
        if ((faults.cutOff.get(runtime.name) ?? 0) > world.now) {
          faults.awayAt = world.now
          return yield* failed(operation, "it can't be reached", "unreachable")
        }
        if (faults.refusals > 0) {
          faults.refusals--
          faults.refusedAt = world.now
          world.note(`the database refuses to ${operation}`)
          return yield* failed(operation, "it is refused", "refused")
        }
        const result = yield* runtime.outside(
          // Nobody else's commit comes between it and the look at it.
          db.commit(operation, statements).pipe(
            Effect.tap(() => ownsWhatItWrites(db, statements, runtime)),
            Effect.tap(() => theDeadHaveNoAgent(db, statements, runtime)),
            faults.alone.withPermit
          )
        )
        faults.transactions++
        yield* Effect.exit(runtime.crossing(`after it did ${operation}`))
        if (!runtime.isAlive) return yield* killed(operation)
        if (faults.lostAnswers > 0) {
          faults.lostAnswers--
          faults.awayAt = world.now
          world.note(`the answer to ${operation} is lost`)
          return yield* failed(operation, "the answer was lost", "unreachable")
        }
        return result
      }).pipe(Effect.uninterruptible)
  }
}

/** What only the owner of a session may write for it. */
const ofOwner = /^write (?:EventsAppended|StepAppended|TurnInserted|TurnPatched|CommandClaimed|LeaseOpened) of (\S+)$/

/** Looked at past Troupe's own checks. */
const ownsWhatItWrites = Effect.fnUntraced(function* (
  db: Database,
  statements: ReadonlyArray<Write>,
  { name, surroundings: { leaseMillis, world } }: Incarnation
) {
  if (leaseMillis === null) return
  const written = statements.flatMap(({ operation = "" }) => ofOwner.exec(operation)?.[1] ?? [])
  for (const session of new Set(written) as Set<SessionId>) {
    const owners = yield* db.all(
      "look whose it is",
      "SELECT nodes.name FROM sessions JOIN nodes ON nodes.token = sessions.owner WHERE sessions.id = ?",
      [session],
      (row: { readonly name: string }) => row.name
    )
    if (owners[0] !== name && owners.length > 0) {
      world.violate("only its owner writes for a session", `${name} wrote for ${world.name(session)} of ${owners[0]}`)
    }
  }
})

/** From then on any other node may start agents for their sessions. */
const theDeadHaveNoAgent = Effect.fnUntraced(function* (
  db: Database,
  statements: ReadonlyArray<Write>,
  { name, surroundings: { calls, world } }: Incarnation
) {
  if (!statements.some(({ text }) => text.startsWith("UPDATE nodes SET dead = 1"))) return
  const dead = yield* db.all(
    "look who is dead",
    "SELECT token FROM nodes WHERE dead = 1",
    [],
    (row: NodeRow) => row.token
  )
  for (const node of calls.working(dead)) {
    const [process] = world.alive({ node })
    if (process === undefined) continue
    world.violate(
      "a node that is declared dead has no agent",
      `process ${process.pid} of ${world.name(process.session)} runs at ${node}, which ${name} has declared dead`
    )
  }
})

interface NodeRow {
  readonly token: NodeToken
}

/** An actor that is given up rests for so long at most, and one without a ledger until that is back. */
const recoversWithinMillis = { refused: 12 * 60_000, away: 10_000 }

export const mayHaveKilledActors = ({ refusedAt }: DatabaseFaults, now: number): boolean =>
  now - refusedAt < recoversWithinMillis.refused

export const actorsMayRest = (faults: DatabaseFaults, now: number): boolean =>
  mayHaveKilledActors(faults, now) || now - faults.awayAt < recoversWithinMillis.away
