/** Reads what is stored of one session and what is known of its process: the inputs of its detail and of its export. */
import { Effect, Option } from "effect"
import { restore } from "../../../machines/session/machine.ts"
import type { SessionContext } from "../../../machines/session/machine.ts"
import { storedState } from "../../../machines/session/restore.ts"
import { cannot } from "../../runtime/errors.ts"
import { findSession } from "../../runtime/Caller.ts"
import type { Caller } from "../../runtime/Caller.ts"
import type { RefusedEvent } from "../../runtime/RefusedEvents.ts"
import { ThisNode } from "../../runtime/ThisNode.ts"
import { SessionShared } from "../../runtime/SessionShared.ts"
import { SessionHost } from "../../supervision/SessionHost.ts"
import { circuits, seen, unseen, unstoredIn } from "./seenSession.ts"
import type { SeenSession } from "./seenSession.ts"
import { canForkAfter } from "../forkSession.ts"
import { resendOf } from "../submission.ts"
import * as ViewSessions from "../sessionView.ts"
import { Agents } from "../../agent/Agents.ts"
import { noCapabilities } from "../../agent/Capabilities.ts"
import type { Capabilities } from "../../agent/Capabilities.ts"
import type { Vitals } from "../../agent/Processes.ts"
import type { ApprovalRecord } from "../../domain/Approval.ts"
import { SessionNotFound, Unavailable } from "../../domain/Refusal.ts"
import type { SessionId } from "../../domain/Ids.ts"
import type { SessionView } from "../../domain/Session.ts"
import { hasNotWorked } from "../../domain/Turn.ts"
import type { TurnRecord } from "../../domain/Turn.ts"
import { Ledger } from "../../ledger/Ledger.ts"
import type { ArmedTimer, ClaimRecord, OutboxCommand, StepRecord } from "../../ledger/Ledger.ts"

const mostTurns = 200
const mostApprovals = 200
const mostClaims = 100
/** Each is looked up by its name. */
const mostRepeated = 20
/** At most four steps belong to one process. */
const mostProcessSteps = 800
/** A session that commits while it is read is read again, at most so many times in all. */
const mostReads = 3

/** What is known of a session, as of one step where it holds still for the reads. Times are milliseconds since 1970. */
export interface InspectedSession {
  readonly view: SessionView
  readonly summary: SeenSession
  /** How many slots of the line are held by sessions that the caller does not see. */
  readonly othersHold: number
  /** When the running turn's agent said something last, or got the prompt; `null`: not known, or no agent is at a turn. */
  readonly heardAt: number | null
  /** 99 of 100 silences of its agent were not longer; `null`: not known. */
  readonly usualSilence: number | null
  /** The machine's, as stored. */
  readonly snapshot: { readonly value: unknown; readonly context: SessionContext }
  readonly lastStep: number
  readonly lastEvent: number
  /** Those that only its actor knows included. */
  readonly timers: ReadonlyArray<ArmedTimer>
  readonly outbox: ReadonlyArray<OutboxCommand>
  /** The last 200, oldest first; of each prompt at most 4 kB. */
  readonly turns: ReadonlyArray<TurnRecord>
  /** What its agent can do, as far as it is known before its handshake. */
  readonly can: Pick<Capabilities, "compact" | "steer">
  /** The turns that were sent again, and as which. */
  readonly repeated: ReadonlyArray<{ readonly turn: number; readonly as: number }>
  /** The turns after which the session can be forked. */
  readonly forkableTurns: ReadonlyArray<number>
  /** The last 200, settled ones included, oldest first. */
  readonly approvals: ReadonlyArray<ApprovalRecord>
  /** Steps that start, retire or end a process, oldest first. */
  readonly processSteps: ReadonlyArray<StepRecord>
  /** The last 100 changes of its owner, oldest first; none where this Troupe is alone. */
  readonly claims: ReadonlyArray<ClaimRecord>
  /** Events that its machine refused since its owner's Troupe was started. */
  readonly refusedEvents: ReadonlyArray<RefusedEvent>
  /** `null` where it has no process, or its owner does not answer (`view.process.unseen`). */
  readonly vitals: Vitals | null
}

export const make = Effect.gen(function* () {
  const agents = yield* Agents
  const ledger = yield* Ledger
  const host = yield* SessionHost
  const { machine } = yield* SessionShared
  const { isAlone } = yield* ThisNode
  const { viewOf } = yield* ViewSessions.make
  const circuitOf = yield* circuits

  const readable = (stored: unknown) =>
    Effect.try({
      try: () => {
        restore(machine, stored)
        return storedState(stored)
      },
      catch: (cause) => new Unavailable({ operation: "read the session", cause })
    })

  const repeatedAs = Effect.fnUntraced(function* (id: SessionId, turns: ReadonlyArray<TurnRecord>) {
    const failed = turns.filter(({ status }) => hasNotWorked(status)).slice(-mostRepeated)
    if (failed.length === 0) return []
    const found = yield* ledger.turnsOfSubmissions(
      id,
      failed.map(({ index }) => resendOf(index).id)
    )
    return failed.flatMap(({ index }): InspectedSession["repeated"] => {
      const again = found.get(resendOf(index).id)
      return again === undefined ? [] : [{ turn: index, as: again.index }]
    })
  })

  const readOnce = Effect.fnUntraced(function* (caller: Caller, id: string) {
    const { id: session } = yield* findSession(ledger, caller, id)
    // One look for all, and before all: a node that does not answer is waited for, and the session may move meanwhile.
    const [looked] = yield* host.look({ sessions: [session], parts: ["vitals"] })
    const lastStep = yield* ledger.lastStep(session)
    const record = yield* findSession(ledger, caller, id)
    const view = yield* viewOf(record, looked)
    const summary = yield* ledger.summary(view.id)
    // Deleted between the two reads.
    if (Option.isNone(summary)) return yield* new SessionNotFound({ id })
    const { refused = [], vitals = null } = looked?._tag === "Seen" ? looked : {}
    const unstored = unstoredIn(looked, summary.value.substate).map((timer) => ({ session, ...timer }))
    const turns = yield* ledger.turnOutlines(view.id, view.turnCount - mostTurns, mostTurns)
    const driver = yield* Effect.option(agents.driver(view.agent))
    const can = Option.isSome(driver) ? driver.value.capabilities : noCapabilities
    const inspected: InspectedSession = {
      view,
      ...lineFor(caller, seen(unseen(summary.value, circuitOf(view.agent)), looked)),
      heardAt: looked?._tag === "Seen" ? (looked.actor?.heardAt ?? null) : null,
      usualSilence: looked?._tag === "Seen" ? (looked.usualSilence ?? null) : null,
      snapshot: yield* readable(yield* ledger.snapshot(view.id)),
      lastStep,
      lastEvent: yield* ledger.lastEvent(view.id),
      timers: [...(yield* ledger.timers(view.id)), ...unstored],
      outbox: yield* ledger.outbox(view.id),
      turns,
      can,
      repeated: yield* repeatedAs(view.id, turns),
      forkableTurns: can.fork ? turns.filter((turn) => canForkAfter(view, turn)).map(({ index }) => index) : [],
      approvals: yield* ledger.lastApprovals(view.id, mostApprovals),
      processSteps: yield* ledger.processSteps(view.id, mostProcessSteps),
      claims: isAlone ? [] : yield* ledger.claims(view.id, mostClaims),
      refusedEvents: refused,
      vitals
    }
    return inspected
  })

  /** Sessions of other apps are only counted. */
  const lineFor = (caller: Caller, summary: SeenSession): Pick<InspectedSession, "summary" | "othersHold"> => {
    const { line } = summary
    if (line === null || line === undefined) return { summary, othersHold: 0 }
    const holders = line.holders.filter(({ app }) => caller._tag === "Admin" || caller.app === app)
    return { summary: { ...summary, line: { ...line, holders } }, othersHold: line.holders.length - holders.length }
  }

  return Effect.fnUntraced(function* (caller: Caller, id: string) {
    let session = yield* readOnce(caller, id)
    for (let reads = 1; reads < mostReads; reads++) {
      if ((yield* ledger.lastStep(session.view.id)) === session.lastStep) break
      session = yield* readOnce(caller, id)
    }
    return session
  }, cannot("read the session"))
})
