/** Maps each kind of entry to its SQL statements. A new kind of entry does not compile until it is mapped here. */
import type { Write } from "./Database.ts"
import type { Dialect } from "./Dialect.ts"
import type { StoredEvent } from "../../domain/Session.ts"
import type { LedgerWrite } from "../LedgerWrite.ts"
import * as Approvals from "./tables/approvals.ts"
import * as Apps from "./tables/apps.ts"
import * as Audit from "./tables/audit.ts"
import * as Capsules from "./tables/capsules.ts"
import * as Costs from "./tables/costs.ts"
import * as Events from "./tables/events.ts"
import * as Files from "./tables/files.ts"
import * as Learned from "./tables/learned.ts"
import * as Leases from "./tables/leases.ts"
import * as Nodes from "./tables/nodes.ts"
import * as Receipts from "./tables/receipts.ts"
import * as Reviews from "./tables/reviews.ts"
import * as Sessions from "./tables/sessions.ts"
import * as Steps from "./tables/steps.ts"
import * as Tallies from "./tables/tallies.ts"
import * as Turns from "./tables/turns.ts"
import * as Webhooks from "./tables/webhooks.ts"

/**
 * The statements of these entries, in their order. Events in a row are one statement; so is a step's change of its session
 * with the check of the session's claim, which comes first.
 */
export const statementsOf = (dialect: Dialect, entries: ReadonlyArray<LedgerWrite>): ReadonlyArray<Write> => {
  const statements: Array<Write> = []
  const add = (entry: LedgerWrite, writes: Write | ReadonlyArray<Write>) => {
    const operation = operationOf(entry)
    for (const write of "text" in writes ? [writes] : writes) statements.push({ ...write, operation })
  }
  const patch = checkedPatch(entries)
  for (let nth = 0; nth < entries.length; nth++) {
    const entry = entries[nth]!
    if (entry === patch) continue
    if (entry._tag === "ClaimChecked" && patch !== null)
      add(patch, Sessions.patched(patch.session, patch.patch, entry.claim))
    else if (beginsRow(entry)) {
      const rows = rowsFrom(entries, nth)
      nth += rows.length - 1
      add(entry, rowsInserted(rows))
    } else add(entry, writesOf(dialect, entry))
  }
  return statements
}

type SessionPatched = Extract<LedgerWrite, { readonly _tag: "SessionPatched" }>

/** The change of the session's row whose UPDATE can check the claim with which the entries begin. */
const checkedPatch = ([first, ...others]: ReadonlyArray<LedgerWrite>): SessionPatched | null =>
  first?._tag === "ClaimChecked"
    ? (others.find(
        (entry): entry is SessionPatched =>
          entry._tag === "SessionPatched" && entry.session === first.claim.session && entry.patch.snapshot !== undefined
      ) ?? null)
    : null

/** A statement has so many rows at most, so that there are few different ones. */
const mostRows = 16

const beginsRow = (entry: LedgerWrite): entry is Events.Appended =>
  entry._tag === "EventAppended" || (entry._tag === "EventsAppended" && entry.first !== null)

const eventsOf = (entry: Events.Appended): ReadonlyArray<StoredEvent> =>
  entry._tag === "EventAppended" ? [entry.event] : entry.events

/** The rows of one session's events that follow each other from there. */
const rowsFrom = (entries: ReadonlyArray<LedgerWrite>, from: number): ReadonlyArray<Events.Appended> => {
  const rows: Array<Events.Appended> = []
  for (let nth = from; nth < entries.length && rows.length < mostRows; nth++) {
    const entry = entries[nth]!
    if (!beginsRow(entry) || (rows.length > 0 && sessionOf(entry) !== sessionOf(rows[0]!))) break
    rows.push(entry)
  }
  return rows
}

const rowsInserted = (rows: ReadonlyArray<Events.Appended>): ReadonlyArray<Write> => [
  Events.inserted(rows),
  ...rows.flatMap(eventsOf).flatMap(Costs.reported)
]

const writesOf = (dialect: Dialect, entry: LedgerWrite): Write | ReadonlyArray<Write> => {
  switch (entry._tag) {
    case "SessionAdmitted":
      return Sessions.admitted(dialect, entry)
    case "SessionInserted":
      return Sessions.inserted(entry)
    case "SessionHoused":
      return Sessions.housed(entry.session, entry.node)
    case "SessionClaimed":
      return Nodes.claimed(dialect, entry)
    case "SessionReleased":
      return Nodes.released(entry.claim)
    case "ClaimChecked":
      return Nodes.checked(dialect, entry.claim)
    case "NodeJoined":
      return Nodes.joined(dialect, entry)
    case "NodeRenewed":
      return Nodes.renewed(dialect, entry)
    case "NodeDeclaredDead":
      return Nodes.declaredDead(dialect, entry)
    case "NodeDrainAsked":
      return Nodes.drainAsked(dialect, entry)
    case "NodeLeft":
      return Nodes.left(entry.token)
    case "SessionPatched":
      return Sessions.patched(entry.session, entry.patch)
    case "StepAppended":
      return Steps.appended(entry.step, entry.wire ?? null)
    case "CommandQueued":
      return Steps.queued(entry.command)
    case "CommandClaimed":
      return Steps.claimed(entry.session, entry.step, entry.nth)
    case "CommandDone":
      return Steps.done(entry.session, entry.step, entry.nth)
    case "TimerArmed":
      return Steps.armed(entry.timer)
    case "TimerDisarmed":
      return Steps.disarmed(entry.session, entry.timer)
    case "TurnInserted":
      return Turns.inserted(dialect, entry)
    case "TurnPatched":
      return Turns.patched(dialect, entry)
    case "SubmissionFreed":
      return Turns.submissionFreed(entry.session, entry.index)
    case "EventAppended":
      return rowsInserted([entry])
    case "EventsAppended":
      return entry.first === null
        ? [Events.added(entry), ...entry.events.flatMap(Costs.reported)]
        : rowsInserted([entry])
    case "Audited":
      return Audit.audited(entry.record)
    case "LeaseOpened":
      return Leases.opened(entry.lease)
    case "LeaseSpawned":
      return Leases.spawned(entry.lease, entry.pid, entry.startTime)
    case "LeaseTaken":
      return Leases.taken(entry.lease, entry.session, entry.generation)
    case "LeaseClosed":
      return Leases.closed(entry.lease)
    case "CapsulePartStored":
      return Capsules.partStored(entry)
    case "CapsuleStored":
      return Capsules.stored(entry.capsule)
    case "FileInserted":
      return Files.inserted(entry.record)
    case "AppInserted":
      return Apps.inserted(entry)
    case "AppTokenReplaced":
      return Apps.tokenReplaced(entry.name, entry.at, entry.tokenHash)
    case "AppBounded":
      return Apps.bounded(entry.name, entry.bounds)
    case "AppRevoked":
      return Apps.revoked(entry.name, entry.at)
    case "ReceiptOpened":
      return Receipts.opened(dialect, entry.receipt)
    case "ReceiptAnswered":
      return Receipts.answered(entry.request, entry.at, entry.response)
    case "ReceiptForgotten":
      return Receipts.forgotten(entry.receipt)
    case "NudgesCounted":
      return Reviews.nudged(entry.nudges)
    case "ReviewOwed":
      return Reviews.owed(entry.review)
    case "ReviewsNotOwed":
      return Reviews.notOwed(entry.session, entry.upToTurn)
    case "ReviewStarted":
      return Reviews.started(entry.record, entry.owner)
    case "ReviewsBegun":
      return Reviews.begun(entry.session, entry.upToTurn)
    case "ReviewPatched":
      return Reviews.patched(entry.id, entry.patch)
    case "ReviewsAbandoned":
      return Reviews.abandoned(entry.at, entry.reason)
    case "MemoryAdded":
      return Learned.memoryAdded(dialect, entry.memory, entry.atMost)
    case "MemoryReplaced":
      return Learned.memoryReplaced(entry.app, entry.id, entry.text, entry.at)
    case "MemoryRemoved":
      return Learned.memoryRemoved(entry.app, entry.id)
    case "SkillAdded":
      return Learned.skillAdded(dialect, entry.skill, entry.atMost)
    case "SkillReplaced":
      return Learned.skillReplaced(entry.skill)
    case "SkillRemoved":
      return Learned.skillRemoved(entry.app, entry.name)
    case "WebhookAdded":
      return Webhooks.added(entry.webhook)
    case "WebhookRemoved":
      return Webhooks.removed(entry.id)
    case "WebhookDisabled":
      return Webhooks.disabled(entry.id, entry.at)
    case "FleetTallied":
      return Tallies.tallied(entry.record)
    case "FleetForgotten":
      return Tallies.forgotten(entry.before)
    case "WebhookOwed":
      return Webhooks.owed(dialect, entry.delivery)
    case "WebhookDelivered":
      return Webhooks.delivered(entry.webhook, entry.event)
    case "WebhookFailed":
      return Webhooks.failed(dialect, entry)
    case "ApprovalAsked":
      return Approvals.asked(entry.record)
    case "ApprovalSettled":
      return Approvals.settled(entry.session, entry.id, entry.resolution, entry.by, entry.at)
    default:
      return entry satisfies never
  }
}

/** The operation that an error names: the entry's kind and its session. It contains nothing of the entry's content. */
const operationOf = (entry: LedgerWrite): string => {
  const session = sessionOf(entry)
  return session === undefined ? `write ${entry._tag}` : `write ${entry._tag} of ${session}`
}

const sessionOf = (entry: LedgerWrite): string | null | undefined => {
  switch (entry._tag) {
    case "SessionInserted":
      return entry.record.id
    case "SessionReleased":
    case "ClaimChecked":
      return entry.claim.session
    case "CapsuleStored":
      return entry.capsule.session
    case "StepAppended":
      return entry.step.session
    case "CommandQueued":
      return entry.command.session
    case "TimerArmed":
      return entry.timer.session
    case "TurnInserted":
      return entry.record.session
    case "EventAppended":
      return entry.event.session
    case "WebhookOwed":
      return entry.delivery.session
    case "NudgesCounted":
      return entry.nudges.session
    case "ReviewOwed":
      return entry.review.session
    case "ReviewStarted":
    case "ApprovalAsked":
      return entry.record.session
    default:
      return "session" in entry ? entry.session : undefined
  }
}
