/**
 * All that the dashboard reads of the runtime: rows of many sessions, what one session's detail is made of, its stored
 * steps and events, the processes that it runs, and commits as they happen.
 *
 * It changes nothing; what a person does to a session goes through `Sessions`. Every read takes the caller and gives
 * what that caller may see: another app's session is `SessionNotFound`. It knows neither HTTP nor JSON: `src/inspect`
 * makes its DTOs of these records.
 */
import { Context, Effect, Layer, Option } from "effect"
import type { Scope, Stream } from "effect"
import type { SessionBounds } from "../../machines/session/machine.ts"
import { secretsOf } from "../agent/Catalog.ts"
import { redact } from "../agent/redact.ts"
import { wasCut } from "../agent/wireLine.ts"
import type { ApprovalRecord } from "../domain/Approval.ts"
import type { AppName, SessionId } from "../domain/Ids.ts"
import type { InvalidRequest, SessionNotFound, Unavailable } from "../domain/Refusal.ts"
import type { SessionRecord, StoredEvent } from "../domain/Session.ts"
import type { TurnRecord } from "../domain/Turn.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { StepRecord, TransitionCount } from "../ledger/Ledger.ts"
import { findSession, sees } from "../runtime/Caller.ts"
import type { Caller } from "../runtime/Caller.ts"
import { cannot } from "../runtime/errors.ts"
import { RuntimeSettings } from "../runtime/RuntimeSettings.ts"
import { ThisNode } from "../runtime/ThisNode.ts"
import { SessionHost } from "../supervision/SessionHost.ts"
import type { UseSample } from "../supervision/UseSamples.ts"
import { attentionBoundsOf } from "../domain/attention.ts"
import type { Attention, SilenceBounds } from "../domain/attention.ts"
import { processesOf } from "./inspection/processesOf.ts"
import type { MeasuredProcess, SeenProcess } from "./inspection/processesOf.ts"
import * as AttentionOf from "./inspection/attention.ts"
import * as FleetOf from "./inspection/fleet.ts"
import type { FleetOverview, FleetSession, FleetWindow } from "./inspection/fleet.ts"
import * as FollowSession from "./inspection/followSession.ts"
import type { SessionUpdate, StreamPosition } from "./inspection/followSession.ts"
import * as ObserveChanges from "./inspection/observeChanges.ts"
import type { SessionChange } from "./inspection/observeChanges.ts"
import * as ObserveCommits from "./inspection/observeCommits.ts"
import type { LoadedSession, ObservedStep } from "./inspection/observeCommits.ts"
import * as Overview from "./inspection/overview.ts"
import type { ListedSession, SessionsOverview, SessionsQuery } from "./inspection/overview.ts"
import * as ReadSession from "./inspection/readSession.ts"
import type { InspectedSession } from "./inspection/readSession.ts"

export type { SessionSummary, StepRecord, TransitionCount } from "../ledger/Ledger.ts"
export type { Caller } from "../runtime/Caller.ts"
export type { MeasuredProcess, SeenProcess } from "./inspection/processesOf.ts"
export type { SessionUpdate, StreamPosition } from "./inspection/followSession.ts"
export type { SessionChange } from "./inspection/observeChanges.ts"
export type { LoadedSession, ObservedStep } from "./inspection/observeCommits.ts"
export type { ListedSession, SessionsOverview, SessionsQuery } from "./inspection/overview.ts"
export type { SeenSession } from "./inspection/seenSession.ts"
export type { InspectedSession } from "./inspection/readSession.ts"

/** An approval, with what its session is called by. */
export type PendingApproval = ApprovalRecord & { readonly app: AppName; readonly agent: string }

/** Stored records with `seq > after`, oldest first, at most `limit`. */
export interface StoredRange {
  readonly after: number
  readonly limit: number
}

/** The line of an agent behind a step, without secrets; `isCut` where it was longer than is stored. */
export interface AgentLine {
  readonly line: string
  readonly isCut: boolean
}

export interface SessionProcesses {
  /** The live process group and all that carries its lease's marker; empty where nothing runs. */
  readonly tree: ReadonlyArray<SeenProcess>
  /** What they used over the last minutes, as far as somebody looked or there is a limit; the oldest first. */
  readonly samples: ReadonlyArray<UseSample>
  /** The end of the agent's stderr, without secrets. */
  readonly stderr: string
  /** The lines of its stdout that were no message: how many, and the beginning of the first, without secrets. */
  readonly malformedLines: number
  readonly firstMalformedLine: string | null
}

/** A session, with its processes looked at twice. */
export interface Examined {
  readonly session: InspectedSession
  readonly processes: ReadonlyArray<MeasuredProcess>
  /** From when on its agent's silence is long. */
  readonly bounds: SilenceBounds
}

type OfSession<A> = Effect.Effect<A, SessionNotFound | Unavailable>

export class Inspection extends Context.Service<
  Inspection,
  {
    /** What this runtime's session machine was made with. */
    readonly bounds: SessionBounds
    /** The name of the node that answers, where it is one of several; `null`: this Troupe is alone. */
    readonly node: string | null
    /** The rule that keeps the sessions of apps apart, for records that are kept to be shown later. */
    readonly sees: (caller: Caller, session: Pick<SessionRecord, "app" | "createdAt">) => boolean
    /** Removes from a text the secret values in the agent's environment, and what has the shape of a credential. */
    readonly redactorOf: (agent: string) => (text: string) => string

    readonly overview: (
      caller: Caller,
      query: SessionsQuery
    ) => Effect.Effect<SessionsOverview, InvalidRequest | Unavailable>
    /** Those of them that the caller sees, as they are now. */
    readonly rows: (
      caller: Caller,
      ids: ReadonlyArray<string>
    ) => Effect.Effect<ReadonlyArray<ListedSession>, Unavailable>
    /** What sessions that the caller was told of are called by (`domain/sessionName.ts`); absent are those that are gone. */
    readonly names: (ids: ReadonlyArray<SessionId>) => Effect.Effect<ReadonlyMap<string, string>, Unavailable>
    /** What needs a person, of all sessions that the caller sees: see `domain/attention.ts`. */
    readonly attention: (
      caller: Caller
    ) => Effect.Effect<{ readonly found: ReadonlyArray<Attention>; readonly isCut: boolean }, Unavailable>
    /** What became of turns within a window until now, and who has the process slots of this machine. */
    readonly fleet: (caller: Caller, window: FleetWindow) => Effect.Effect<FleetOverview, Unavailable>
    /** Behind a bar: sessions whose turns failed within a time, or that were active last in it. */
    readonly fleetSessions: (
      caller: Caller,
      query: { readonly from: number; readonly to: number; readonly failed: boolean }
    ) => Effect.Effect<ReadonlyArray<FleetSession>, Unavailable>
    /** Of all sessions that the caller sees, oldest first. */
    readonly pendingApprovals: (
      caller: Caller,
      limit: number
    ) => Effect.Effect<ReadonlyArray<PendingApproval>, Unavailable>
    /**
     * How often each transition was taken, the most frequent first: of the last 1,000 steps of each of the last active
     * 1,000 sessions, 100,000 in all. `agent` `null`: of every agent.
     */
    readonly transitionCounts: (
      caller: Caller,
      agent: string | null
    ) => Effect.Effect<ReadonlyArray<TransitionCount>, Unavailable>
    /**
     * Each change of a session that the caller sees, until the scope closes. The listener runs in the session's loop. Those that
     * take a look at the session are told while `isRead` says so.
     */
    readonly observeChanges: (
      caller: Caller,
      listener: (change: SessionChange) => void,
      isRead?: () => boolean
    ) => Effect.Effect<void, never, Scope.Scope>

    readonly find: (caller: Caller, id: string) => OfSession<SessionRecord>
    readonly session: (caller: Caller, id: string) => OfSession<InspectedSession>
    readonly steps: (caller: Caller, id: string, range: StoredRange) => OfSession<ReadonlyArray<StepRecord>>
    readonly events: (caller: Caller, id: string, range: StoredRange) => OfSession<ReadonlyArray<StoredEvent>>
    /** Turns of a higher number than `after`; at most 4 kB of each prompt. */
    readonly turns: (caller: Caller, id: string, range: StoredRange) => OfSession<ReadonlyArray<TurnRecord>>
    /** `None` where no line of the agent caused the step. */
    readonly agentLine: (caller: Caller, id: string, step: number) => OfSession<Option.Option<AgentLine>>
    readonly processes: (caller: Caller, id: string) => OfSession<SessionProcesses>
    /** Takes half a second where it has processes. */
    readonly examine: (caller: Caller, id: string) => OfSession<Examined>
    /** What is stored after the position, then what is committed, without a gap or a repeat. Never ends. */
    readonly follow: (
      caller: Caller,
      id: string,
      from: StreamPosition
    ) => OfSession<Stream.Stream<SessionUpdate, Unavailable>>
    /**
     * Each step of one session (from `find`), or `null`: of all that the caller sees, until the scope closes; of those that
     * another Troupe works on, the last one after each news. Returns the state before the first of them, of that session or
     * of all that are loaded. The listener runs in the session's loop.
     */
    readonly observeCommits: (
      caller: Caller,
      session: SessionRecord | null,
      listener: (step: ObservedStep) => void
    ) => Effect.Effect<ReadonlyArray<LoadedSession>, SessionNotFound | Unavailable, Scope.Scope>
  }
>()("troupe/services/Inspection") {
  static readonly layer = Layer.effect(
    Inspection,
    Effect.gen(function* () {
      const host = yield* SessionHost
      const ledger = yield* Ledger
      const { agents, limits } = yield* RuntimeSettings
      const { isAlone, name } = yield* ThisNode
      const attention = yield* AttentionOf.make
      const fleet = yield* FleetOf.make
      const followSession = yield* FollowSession.make
      const observeChanges = yield* ObserveChanges.make
      const observeCommits = yield* ObserveCommits.make
      const overviews = yield* Overview.make
      const session = yield* ReadSession.make

      const find = (caller: Caller, id: string) => findSession(ledger, caller, id).pipe(cannot("read the session"))

      return Inspection.of({
        bounds: {
          poolWaitMillis: limits.poolWaitMillis,
          hibernateAfterMillis: limits.hibernateAfterMillis,
          restartIntensity: limits.restartIntensity,
          restartPeriodMillis: limits.restartPeriodMillis
        },
        node: isAlone ? null : name,
        sees,
        redactorOf: (agent) => {
          const secrets = secretsOf(agent, agents, process.env)
          return (text) => redact(text, secrets)
        },
        ...overviews,
        attention,
        ...fleet,
        observeChanges,
        find,
        session,
        steps: Effect.fnUntraced(function* (caller, id, { after, limit }) {
          const record = yield* find(caller, id)
          return yield* ledger.steps(record.id, after, limit)
        }, cannot("read the steps")),
        events: Effect.fnUntraced(function* (caller, id, { after, limit }) {
          const record = yield* find(caller, id)
          return yield* ledger.events(record.id, after, limit)
        }, cannot("read the events")),
        turns: Effect.fnUntraced(function* (caller, id, { after, limit }) {
          const record = yield* find(caller, id)
          return yield* ledger.turnOutlines(record.id, after, limit)
        }, cannot("read the turns")),
        agentLine: Effect.fnUntraced(function* (caller, id, step) {
          const record = yield* find(caller, id)
          const stored = yield* ledger.wireLine(record.id, step)
          return Option.map(stored, (line) => ({ line, isCut: wasCut(line) }))
        }, cannot("read the line behind the step")),
        processes: Effect.fnUntraced(function* (caller, id) {
          const record = yield* find(caller, id)
          const [looked] = yield* host.look({ sessions: [record.id], parts: ["vitals", "tree"] })
          const { samples = [], tree = [], vitals = null } = looked?._tag === "Seen" ? looked : {}
          return {
            tree,
            samples,
            stderr: vitals?.stderr ?? "",
            malformedLines: vitals?.malformedLines ?? 0,
            firstMalformedLine: vitals?.firstMalformedLine ?? null
          }
        }),
        examine: Effect.fnUntraced(function* (caller, id) {
          const record = yield* find(caller, id)
          const bounds = attentionBoundsOf(limits)
          const processes = (yield* processesOf(host, [record.id])).get(record.id) ?? []
          return { session: yield* session(caller, id), processes, bounds }
        }),
        follow: (caller, id, from) => Effect.map(find(caller, id), (record) => followSession(record.id, from)),
        observeCommits
      })
    })
  )
}
