/** Creates a session: with an agent that is configured, a directory that exists, and within the limits on sessions. */
import { Clock, Effect, Exit, FileSystem, Option, Path, Schedule, Semaphore } from "effect"
import { created } from "../../machines/session/machine.ts"
import { chartVersion } from "../../machines/session/restore.ts"
import { stateName, topState } from "../../machines/session/stateInfo.ts"
import { Agents } from "../agent/Agents.ts"
import { newSessionId } from "../domain/Ids.ts"
import type { AppName, SessionId } from "../domain/Ids.ts"
import { InvalidRequest, NotSupported, PoolFull, ThreadTaken, Unavailable } from "../domain/Refusal.ts"
import type { CreateSession, Fork, SessionRecord } from "../domain/Session.ts"
import { maxMetaCharacters } from "../domain/storable.ts"
import { noUsage } from "../domain/Turn.ts"
import { Ledger, LedgerError } from "../ledger/Ledger.ts"
import type { KeyedRequest, LedgerWrite } from "../ledger/Ledger.ts"
import * as AdmitNewWork from "../runtime/admitNewWork.ts"
import { News } from "../runtime/News.ts"
import { ThisNode } from "../runtime/ThisNode.ts"
import { SessionShared } from "../runtime/SessionShared.ts"
import { RuntimeSettings } from "../runtime/RuntimeSettings.ts"
import * as CheckAppBounds from "../runtime/checkAppBounds.ts"
import { checkArguments } from "./checkArguments.ts"
import { checkPermissions } from "./checkPermissions.ts"
import * as CheckSetup from "./checkSetup.ts"
import { checkStorable } from "./checkStorable.ts"

/**
 * Beside other nodes the places are counted once more in the commit that takes one, where so few are left that others may
 * take them meanwhile: a node creates one session at a time.
 */
const fewPlaces = 64
/** Who finds the place taken in its commit, or another node that takes one, looks again what is refused. */
const again = Schedule.max([Schedule.jittered(Schedule.spaced("40 millis")), Schedule.recurs(100)])

/** Also for the copy of what another session has in its directory. */
const directoryWithin = "60 seconds"

/** What a session begins with that is another one's, and who creates it. */
export interface Origin {
  readonly fork?: Fork
  /** A directory of Troupe's own, whose files the new session gets. */
  readonly copied?: string | undefined
  /** In the audit trail; absent: its app. */
  readonly by?: string
  /** Of a session that its app has a name for (`namedSession.ts`): where there is one of it, it is that one. */
  readonly id?: SessionId
}

/** `Sessions.create` without its view: the answer is the row as stored. */
export const make = Effect.gen(function* () {
  const agents = yield* Agents
  const fs = yield* FileSystem.FileSystem
  const ledger = yield* Ledger
  const admitNewWork = yield* AdmitNewWork.make
  const checkAppBounds = yield* CheckAppBounds.make
  const path = yield* Path.Path
  const { dataDir, limits } = yield* RuntimeSettings
  const { machine } = yield* SessionShared
  const news = yield* News
  const thisNode = yield* ThisNode
  const creating = yield* Semaphore.make(1)
  let newest = 0
  const checkSetup = yield* CheckSetup.make

  const directoryFor = Effect.fnUntraced(function* (
    id: SessionId,
    requested: string | undefined,
    copied: string | undefined
  ) {
    if (requested === undefined) {
      const directory = path.join(path.resolve(dataDir), "sessions", id)
      // Another node has what is to be copied. It is made where the session gets its first turn, which says what is lost.
      if (
        copied !== undefined &&
        !thisNode.isAlone &&
        !(yield* fs.exists(copied).pipe(Effect.orElseSucceed(() => false)))
      ) {
        return { cwd: directory, ownsCwd: true }
      }
      yield* fs.makeDirectory(directory, { recursive: true, mode: 0o700 }).pipe(
        Effect.andThen(copied === undefined ? Effect.void : fs.copy(copied, directory, { preserveTimestamps: true })),
        Effect.timeout(directoryWithin),
        Effect.mapError((cause) => new Unavailable({ operation: "make the session's work directory", cause })),
        Effect.onError(() => Effect.ignore(fs.remove(directory, { recursive: true, force: true })))
      )
      return { cwd: directory, ownsCwd: true }
    }
    if (!path.isAbsolute(requested))
      return yield* new InvalidRequest({ field: "cwd", problem: "must be an absolute path." })
    const info = yield* Effect.option(fs.stat(requested))
    if (Option.isNone(info) || info.value.type !== "Directory") {
      const problem = `must be a directory that exists and can be read; ${JSON.stringify(requested)} is not.`
      return yield* new InvalidRequest({ field: "cwd", problem })
    }
    return { cwd: requested, ownsCwd: false }
  })

  /** What the commit has to count again; `null`: there are places enough. */
  const checkCapacity = Effect.fnUntraced(function* (app: AppName) {
    const { maxSessions, maxSessionsPerApp } = limits
    const all = yield* ledger.openSessions(null)
    if (all >= maxSessions) {
      return yield* new PoolFull({ what: "sessions", limit: maxSessions, retryAfterSeconds: 30 })
    }
    const ofApp = yield* ledger.openSessions(app)
    if (ofApp >= maxSessionsPerApp) {
      return yield* new PoolFull({ what: "sessions_per_app", limit: maxSessionsPerApp, retryAfterSeconds: 30 })
    }
    const areEnough = Math.min(maxSessions - all, maxSessionsPerApp - ofApp) > fewPlaces
    return areEnough ? null : { all: maxSessions, ofApp: maxSessionsPerApp }
  })

  /** One session writes to a conversation, and another app's conversation is nobody else's. */
  const checkThread = Effect.fnUntraced(function* (app: AppName, threadId: string | undefined) {
    if (threadId === undefined) return
    const owners = yield* ledger.sessionsOfThread(threadId)
    if (owners.some((owner) => owner.closedAt === null || owner.app !== app)) {
      return yield* new ThreadTaken({ threadId })
    }
  })

  return Effect.fnUntraced(function* (
    app: AppName,
    request: CreateSession,
    keyed?: KeyedRequest,
    { by = app, copied, fork, id: named }: Origin = {}
  ) {
    const known = named === undefined ? Option.none() : yield* ledger.session(named)
    if (Option.isSome(known)) return known.value
    yield* admitNewWork
    yield* checkArguments({ model: request.model, system_prompt: request.systemPrompt })
    const { cwd: requestedCwd, effort, meta = {}, mode, model, systemPrompt, threadId } = request
    yield* checkStorable({
      cwd: requestedCwd,
      meta,
      model,
      system_prompt: systemPrompt,
      permissions: request.permissions,
      mode,
      effort,
      thread_id: threadId,
      mcp_servers: request.mcpServers,
      additional_directories: request.additionalDirectories,
      env: request.env
    })
    if (JSON.stringify(meta).length > maxMetaCharacters) {
      const problem = `has more than ${maxMetaCharacters} characters as JSON. Keep what is longer in a store of your own.`
      return yield* new InvalidRequest({ field: "meta", problem })
    }
    const driver = yield* agents.driver(request.agent ?? null)
    const permissions = request.permissions ?? "deny"
    const allowedCwd = yield* checkAppBounds(app, { agent: driver.name, permissions, cwd: requestedCwd })
    yield* checkPermissions(driver, permissions, allowedCwd ?? path.join(path.resolve(dataDir), "sessions"))
    const setup = yield* checkSetup(app, driver, permissions, request)
    if (threadId !== undefined && !driver.capabilities.threads) {
      return yield* new NotSupported({ problem: noThreads(driver.name) })
    }
    const id = named ?? newSessionId()
    const { cwd, ownsCwd } = yield* directoryFor(id, allowedCwd, copied)
    const initial = created(machine, threadId ?? null)
    const substate = stateName(initial)
    // No two sessions have the same time: lists are ordered by it.
    const at = (newest = Math.max(yield* Clock.currentTimeMillis, newest + 1))
    const record: SessionRecord = {
      id,
      app,
      agent: driver.name,
      cwd,
      ownsCwd,
      model: model ?? null,
      mode: mode ?? null,
      effort: effort ?? null,
      systemPrompt: systemPrompt ?? null,
      permissions,
      setup: fork === undefined ? setup : { ...setup, fork },
      meta,
      state: topState(substate),
      substate,
      turnCount: 0,
      createdAt: at,
      lastActivityAt: at,
      lastTurnAt: null,
      closedAt: null,
      threadId: threadId ?? null,
      restarts: 0,
      lastOutcome: null,
      opening: null,
      usage: noUsage
    }
    const receipt = keyed === undefined ? [] : [receiptOf(keyed, id, at)]
    // Alone, or two requests could take the last place.
    const insert = Effect.gen(function* () {
      const atMost = yield* checkCapacity(app)
      yield* checkThread(app, threadId)
      // Alone, nobody else creates sessions meanwhile.
      const isSure = thisNode.isAlone || (atMost === null && threadId === undefined)
      yield* ledger.write([
        ...(isSure ? [] : [{ _tag: "SessionAdmitted", app, atMost, threadId: threadId ?? null } as const]),
        {
          _tag: "SessionInserted",
          record,
          snapshot: machine.getPersistedSnapshot(initial),
          chart: chartVersion,
          // Among others it is claimed by the node that gets its first turn.
          ...(thisNode.isAlone ? { owner: thisNode.token } : {}),
          // An empty directory is made again anywhere; one with something in it, or an app's, is known to be here.
          ...(thisNode.isAlone || (ownsCwd && copied === undefined) ? {} : { home: thisNode.name })
        },
        {
          _tag: "Audited",
          record: { at, session: id, app, action: "create", actor: by, detail: { agent: driver.name } }
        },
        ...receipt
      ])
    })
    const inserted = creating.withPermit(Effect.retry(insert, { while: isTakenMeanwhile, schedule: again }))
    if (named === undefined) {
      yield* Effect.tapError(inserted, () =>
        ownsCwd ? Effect.ignore(fs.remove(cwd, { recursive: true })) : Effect.void
      )
    } else {
      const exit = yield* Effect.exit(inserted)
      // Another request of the name was quicker: the directory is that one's, too.
      const meanwhile = Exit.isSuccess(exit) ? Option.none() : yield* ledger.session(id)
      if (Option.isSome(meanwhile)) return meanwhile.value
      yield* exit
    }
    news.tellLifecycle({ what: "created", record })
    return record
  })
})

const isTakenMeanwhile = (error: unknown) =>
  error instanceof LedgerError && error.kind === "unmet" && error.operation === "write SessionAdmitted"

const noThreads = (agent: string) =>
  `${agent} can't go on with a conversation by its id (capabilities.threads). Leave thread_id out.`

const receiptOf = (request: KeyedRequest, session: SessionId, createdAt: number): LedgerWrite => ({
  _tag: "ReceiptOpened",
  receipt: { ...request, createdAt, effect: { _tag: "SessionCreated", session }, response: null }
})
