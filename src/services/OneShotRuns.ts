/**
 * One-shot prompts, within the limits of sessions: a run holds a process slot while its process lives, waits for one no
 * longer than a turn does, and works in an empty directory that is removed afterwards.
 */
import { Clock, Context, Effect, Layer, Option, Path, Schedule } from "effect"
import type { FileSystem } from "effect"
import { OneShot } from "../agent/OneShot.ts"
import type { RunResult } from "../agent/OneShot.ts"
import { Processes } from "../agent/Processes.ts"
import { narrowsPermissions } from "../domain/appBounds.ts"
import { newLeaseId, newRunId } from "../domain/Ids.ts"
import type { AppName, FileId, LeaseId } from "../domain/Ids.ts"
import type { PermissionPolicy } from "../domain/Permissions.ts"
import { Draining, PoolFull, Unavailable } from "../domain/Refusal.ts"
import type { FileNotFound, InvalidRequest, NotAllowed, NotSupported } from "../domain/Refusal.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { KeyedRequest, LedgerWrite } from "../ledger/Ledger.ts"
import { unavailable } from "../runtime/errors.ts"
import * as CheckAppBounds from "../runtime/checkAppBounds.ts"
import { checkArguments } from "./checkArguments.ts"
import { checkRunPermissions } from "./checkPermissions.ts"
import { checkStorable } from "./checkStorable.ts"
import { checkTimeout } from "./checkTimeout.ts"
import { Files, withPaths } from "./Files.ts"
import * as AdmitNewWork from "../runtime/admitNewWork.ts"
import { DrainState } from "../runtime/DrainState.ts"
import * as Metrics from "../runtime/Metrics.ts"
import { ProcessSlots } from "../runtime/ProcessSlots.ts"
import { RuntimeSettings } from "../runtime/RuntimeSettings.ts"
import { ThisNode } from "../runtime/ThisNode.ts"

export type { RunResult } from "../agent/OneShot.ts"

export interface RunPrompt {
  readonly prompt: string
  readonly model?: string | undefined
  readonly system?: string | undefined
  readonly files?: ReadonlyArray<FileId> | undefined
  /**
   * What it may do. Absent: what the operator's own settings of claude allow, or `deny` for an app whose own permissions
   * the operator bounds.
   */
  readonly permissions?: PermissionPolicy | undefined
  /** Replaces the configured turn timeout, in milliseconds. */
  readonly timeoutMillis?: number | undefined
  /** Its Idempotency-Key, whose receipt is stored with the lease of the run's process. */
  readonly keyed?: KeyedRequest | undefined
}

export class OneShotRuns extends Context.Service<
  OneShotRuns,
  {
    /** A run that failed is a result. An error of the effect means that nothing was started. */
    readonly run: (
      app: AppName,
      request: RunPrompt
    ) => Effect.Effect<
      RunResult,
      NotAllowed | NotSupported | FileNotFound | InvalidRequest | PoolFull | Draining | Unavailable
    >
    /** Returns when no other living node works on the run, and what that one answered is stored. */
    readonly over: (lease: LeaseId) => Effect.Effect<void, Unavailable>
  }
>()("troupe/services/OneShotRuns") {
  static readonly layer: Layer.Layer<
    OneShotRuns,
    never,
    | Files
    | FileSystem.FileSystem
    | Path.Path
    | Ledger
    | DrainState
    | OneShot
    | ProcessSlots
    | Processes
    | RuntimeSettings
    | ThisNode
  > = Layer.effect(
    OneShotRuns,
    Effect.suspend(() => make)
  )
}

/** How often it is looked whether another node still works on a run. */
const lookAgainEvery = "500 millis"
/** Of a run's answer, behind the end of its lease. */
const answerStoredWithin = "1 second"

const make = Effect.gen(function* () {
  const files = yield* Files
  const ledger = yield* Ledger
  const path = yield* Path.Path
  const admitNewWork = yield* AdmitNewWork.make
  const checkAppBounds = yield* CheckAppBounds.make
  const drainState = yield* DrainState
  const oneShot = yield* OneShot
  const slots = yield* ProcessSlots
  const processes = yield* Processes
  const thisNode = yield* ThisNode
  const { limits } = yield* RuntimeSettings

  const holdSlot = Effect.fnUntraced(function* (app: AppName) {
    const session = newRunId()
    // Registered first: a slot that is granted while the wait is interrupted is released, too.
    yield* Effect.addFinalizer(() => Effect.sync(() => slots.release(session)))
    const answer = yield* slots
      .take({ session, app, urgent: true, notBefore: 0 })
      .pipe(Effect.timeoutOrElse({ duration: limits.poolWaitMillis, orElse: () => Effect.succeed("refused") }))
    if (answer === "granted") return
    if (drainState.draining()) return yield* new Draining({})
    return yield* new PoolFull({ what: "processes", limit: limits.maxProcesses, retryAfterSeconds: 5 })
  })

  /** Stored before the spawn, so that recovery finds the processes of a run whose supervisor was killed. */
  const openLease = Effect.fnUntraced(function* (keyed: KeyedRequest | undefined) {
    const lease = newLeaseId("run_")
    const { bootId, self: supervisor } = processes
    const openedAt = yield* Clock.currentTimeMillis
    const process = { bootId, supervisor, node: thisNode.name, pid: null, startTime: null }
    const record = { id: lease, session: null, generation: 1, openedAt, ...process }
    const receipt: ReadonlyArray<LedgerWrite> =
      keyed === undefined
        ? []
        : [
            {
              _tag: "ReceiptOpened",
              receipt: { ...keyed, createdAt: openedAt, effect: { _tag: "RunStarted", lease }, response: null }
            }
          ]
    yield* unavailable(ledger.write([{ _tag: "LeaseOpened", lease: record }, ...receipt]))
    yield* Effect.addFinalizer(() => ledger.writeLater([{ _tag: "LeaseClosed", lease }]))
    const spawned = Effect.fnUntraced(function* (pid: number) {
      const startTime = yield* processes.startTime(pid)
      yield* Effect.orDie(ledger.write([{ _tag: "LeaseSpawned", lease, pid, startTime }]))
    })
    return { lease, spawned }
  })

  const run = Effect.fn("OneShotRuns.run")(function* (app: AppName, request: RunPrompt) {
    yield* unavailable(admitNewWork)
    yield* checkArguments({ prompt: request.prompt, model: request.model, system: request.system })
    yield* checkTimeout(request.timeoutMillis)
    yield* checkStorable({ prompt: request.prompt, model: request.model, system: request.system })
    yield* checkRunPermissions(request.permissions)
    const bounds = yield* unavailable(ledger.appBounds(app))
    const permissions = request.permissions ?? (bounds !== null && narrowsPermissions(bounds) ? "deny" : null)
    yield* unavailable(checkAppBounds(app, { agent: "claude", ...(permissions === null ? {} : { permissions }) }))
    const attached = yield* files.findHere(app, request.files ?? [])
    const prompt = withPaths(attached, request.prompt)
    yield* holdSlot(app)
    const cwd = yield* Effect.mapError(
      processes.temporary("run"),
      (cause) => new Unavailable({ operation: "make a directory for the run", cause })
    )
    const { lease, spawned } = yield* openLease(request.keyed)
    const result = yield* oneShot.run({
      lease,
      spawned,
      prompt,
      model: request.model ?? null,
      system: request.system ?? null,
      permissions,
      readable: attached.map((file) => path.dirname(file.path)),
      timeoutMillis: request.timeoutMillis ?? limits.turnTimeoutMillis,
      cwd
    })
    yield* Metrics.runEnded(result.ok ? "completed" : result.stopReason === "timeout" ? "timed_out" : "failed")
    return result
  }, Effect.scoped)

  const isInWork = Effect.fnUntraced(function* (id: LeaseId) {
    const lease = yield* ledger.lease(id)
    if (Option.isNone(lease) || lease.value.node === thisNode.name) return false
    return (yield* ledger.nodesBeside(thisNode.token)).some(({ node }) => node.name === lease.value.node)
  })

  const over = Effect.fnUntraced(function* (lease: LeaseId) {
    if (thisNode.isAlone) return
    yield* isInWork(lease).pipe(Effect.repeat({ schedule: Schedule.spaced(lookAgainEvery), while: (inWork) => inWork }))
    yield* Effect.sleep(answerStoredWithin)
  }, unavailable)

  return OneShotRuns.of({ run, over })
})
