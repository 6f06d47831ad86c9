/**
 * Changes of sessions as rows for a table. For those of this process the listener is called inside the session's loop, right
 * after each commit and in their order: it must be quick. The row of a session that another Troupe works on is read after
 * news of it, so some of its steps may be passed over.
 */
import { Effect, Option } from "effect"
import { infoOf, stateName } from "../../../machines/session/stateInfo.ts"
import type { SessionId } from "../../domain/Ids.ts"
import type { Meta, SessionRecord } from "../../domain/Session.ts"
import { shortMeta, titleIn } from "../../domain/sessionName.ts"
import { Ledger } from "../../ledger/Ledger.ts"
import type { SessionSummary } from "../../ledger/Ledger.ts"
import { sees } from "../../runtime/Caller.ts"
import type { Caller } from "../../runtime/Caller.ts"
import { News } from "../../runtime/News.ts"
import type { Committed, RemovedSession, SessionLifecycle, SessionNews } from "../../runtime/News.ts"
import { ThisNode } from "../../runtime/ThisNode.ts"
import * as Rereads from "../../runtime/Rereads.ts"
import { SessionHost } from "../../supervision/SessionHost.ts"
import { lastStepOf } from "../storedPicture.ts"
import { circuits, unseen } from "./seenSession.ts"
import type { SeenSession } from "./seenSession.ts"
import * as WaitChanges from "./waitChanges.ts"

/** A change of a session, with the row that the overview has of it from now on. Times are milliseconds since 1970. */
export type SessionChange =
  | {
      readonly _tag: "Stepped"
      readonly seq: number
      readonly at: number
      /** The event's type. */
      readonly event: string
      readonly from: string
      readonly to: string
      readonly summary: SeenSession
    }
  /** No step, but another timer fires next. `seq` and `at` are of the last step. */
  | { readonly _tag: "Waits"; readonly seq: number; readonly at: number; readonly summary: SeenSession }
  | { readonly _tag: "Created"; readonly summary: SeenSession }
  | { readonly _tag: "Removed"; readonly session: RemovedSession }
  /** Any session may have changed, in any way: read the rows again. */
  | { readonly _tag: "Missed" }

/** Until the scope closes. */
export const make = Effect.gen(function* () {
  const host = yield* SessionHost
  const ledger = yield* Ledger
  const news = yield* News
  const circuitOf = yield* circuits
  const shownNow = (summary: SessionSummary) => unseen(summary, circuitOf(summary.agent))
  const { isAlone, name } = yield* ThisNode
  /** What is committed here is of sessions that this node owns. */
  const node = isAlone ? null : name

  /** `isRead`: whether anybody reads what the listener is told. */
  return Effect.fnUntraced(function* (
    caller: Caller,
    listener: (change: SessionChange) => void,
    isRead: () => boolean = () => true
  ) {
    const titles = new OpenApprovals()
    const waits = yield* WaitChanges.make(isRead, (shown) => listener({ _tag: "Waits", ...shown })).pipe(
      Effect.provideService(SessionHost, host)
    )
    const stepped = (change: Extract<SessionChange, { readonly _tag: "Stepped" }>) => {
      listener(waits.stepped(change))
    }
    const onCommit = (committed: Committed) => {
      const { at, before, event, record, seq, snapshot } = committed
      if (!sees(caller, record)) return
      stepped({
        _tag: "Stepped",
        seq,
        at,
        event: event.type,
        from: stateName(before),
        to: stateName(snapshot),
        summary: shownNow(summaryAfter(committed, titles.oldestAfter(committed), node))
      })
    }
    const rereads = yield* Rereads.make(
      Effect.fnUntraced(function* (id) {
        const step = yield* lastStepOf(ledger, id)
        const found = yield* ledger.summary(id)
        return () => {
          if (Option.isNone(found) || !sees(caller, found.value)) return
          const summary = shownNow(found.value)
          if (step === null) return listener({ _tag: "Created", summary })
          const { at, event, from, seq, to } = step
          stepped({ _tag: "Stepped", seq, at, event: event.type, from, to, summary })
        }
      })
    )
    const hear = ({ session, stepped: isStep, stored }: SessionNews) => {
      if (stored === null && isStep) {
        titles.forget(session)
        rereads.due(session)
      }
      if (!isStep) waits.spoke(session)
      if (stored === null || stored.step === null) return
      rereads.drop(session)
      onCommit(stored.step)
    }
    const onLifecycle = (lifecycle: SessionLifecycle) => {
      if (!("record" in lifecycle)) return listener({ _tag: "Missed" })
      if (!sees(caller, lifecycle.record)) return
      if (lifecycle.what === "created") listener({ _tag: "Created", summary: shownNow(summaryOfNew(lifecycle.record)) })
      else {
        waits.removed(lifecycle.record.id)
        listener({ _tag: "Removed", session: lifecycle.record })
      }
    }
    yield* Effect.acquireRelease(
      Effect.sync(() => [news.watchUnsafe(null, hear), news.watchLifecycleUnsafe(onLifecycle)]),
      (stops) => Effect.sync(() => stops.forEach((stop) => stop()))
    )
  })
})

const summaryAfter = (
  { next, record, since, snapshot }: Committed,
  asks: string | null,
  node: string | null
): SessionSummary => {
  const { process, reason, turn } = snapshot.context
  return {
    ...fieldsOf(record),
    turn,
    process,
    reason: infoOf(record.substate)?.waitsFor === "unpark" ? reason : "",
    since,
    asks,
    node,
    next
  }
}

const summaryOfNew = (record: SessionRecord): SessionSummary => ({
  ...fieldsOf(record),
  turn: 0,
  process: false,
  reason: "",
  since: record.createdAt,
  asks: null,
  // Its first work is of whoever gets it.
  node: null,
  next: null
})

/** Not the whole record: its metadata and system prompt may be large, and whoever observes keeps many summaries. */
const fieldsOf = (record: SessionRecord) => ({
  id: record.id,
  app: record.app,
  agent: record.agent,
  state: record.state,
  substate: record.substate,
  createdAt: record.createdAt,
  lastActivityAt: record.lastActivityAt,
  closedAt: record.closedAt,
  turnCount: record.turnCount,
  restarts: record.restarts,
  lastOutcome: record.lastOutcome,
  totalTokens: record.usage.totalTokens,
  opening: record.opening,
  ...shownOf(record.meta)
})

/** An app's data never changes, so it is looked at once for all steps of a session that is loaded. */
const shown = new WeakMap<Meta, Pick<SessionSummary, "meta" | "title">>()
const shownOf = (meta: Meta) => {
  const known = shown.get(meta) ?? { title: titleIn(meta), meta: shortMeta(meta) }
  shown.set(meta, known)
  return known
}

/** The titles of pending approvals, of sessions in which any are open: a commit has only its own. */
class OpenApprovals {
  readonly #titles = new Map<SessionId, ReadonlyMap<string, string>>()

  /** Its commits are another Troupe's now, or one was missed. */
  forget(session: SessionId): void {
    this.#titles.delete(session)
  }

  /** The title of the oldest that is pending after this step; `null` where none is. */
  oldestAfter({ newApproval, record, snapshot }: Committed): string | null {
    if (infoOf(record.substate)?.tags.has("approvalsOpen") !== true) {
      this.#titles.delete(record.id)
      return null
    }
    const titles = new Map(this.#titles.get(record.id))
    if (newApproval !== null) titles.set(newApproval.id, newApproval.title)
    const { approvals } = snapshot.context
    for (const id of titles.keys()) if (!approvals.includes(id)) titles.delete(id)
    this.#titles.set(record.id, titles)
    return [...titles.values()][0] ?? null
  }
}
