/**
 * Capsules: copies of agents' own conversations in the ledger, by which an agent goes on with one on another node.
 *
 * At a turn's end what its agent has added to the conversation's file is stored, and before an agent is asked to resume it
 * on a node that has not the whole file, the file is put there. None of this fails a turn, or keeps it waiting for long:
 * without a capsule the conversation begins anew, and that is said (decision 0027).
 *
 * A capsule is what was said, secrets included. It goes from a file to the ledger and back, and nowhere else: no line of
 * the log and no error quotes it.
 */
import { Cause, Clock, Effect, Fiber, Option, Semaphore } from "effect"
import type { AgentDriver } from "../agent/Agent.ts"
import * as ConversationFiles from "../agent/ConversationFiles.ts"
import type { SessionId } from "../domain/Ids.ts"
import type { SessionRecord } from "../domain/Session.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { CapsuleRecord } from "../ledger/Ledger.ts"
import { RuntimeSettings } from "../runtime/RuntimeSettings.ts"
import { ThisNode } from "../runtime/ThisNode.ts"
import type { SessionPort } from "../session/CommandHandler.ts"
import * as CapsuleParts from "./capsuleParts.ts"
import * as PlaceCapsule from "./placeCapsule.ts"
import type { Found, Wanted } from "./placeCapsule.ts"

/** A turn's end, and the end of a process, wait so long until the conversation is stored. It is stored all the same. */
const storedWithin = "2 seconds"
/** The start of an agent waits so long for the conversation. */
const placedWithin = "20 seconds"
/** With more of them the conversation is stored anew, in as few as it takes. */
const mostParts = 64

/** The conversation of one agent process. */
export interface Conversation {
  readonly files: ConversationFiles.ConversationFiles
  readonly thread: string
  readonly alone: Semaphore.Semaphore
  /** The last turn that was handed over. */
  turn: number
  /** What is stored; `null`: nothing that is known of. */
  stored: CapsuleRecord | null
  path: string | null
  /** That it can't be stored is said once. */
  complained: boolean
}

export const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const { homes = "local", limits } = yield* RuntimeSettings
  const place = yield* PlaceCapsule.make
  const thisNode = yield* ThisNode

  const epochOf = (session: SessionId) =>
    Effect.map(ledger.claimOf(session), (claim) => Option.getOrNull(claim)?.epoch ?? 0)

  const complain = (conversation: Conversation, session: SessionId, why: string) => {
    if (conversation.complained) return Effect.void
    conversation.complained = true
    return Effect.logWarning(`The conversation of session ${session} is not stored for other nodes: ${why}`)
  }

  const store = Effect.fnUntraced(function* (port: SessionPort, conversation: Conversation, turn: number) {
    const { files, thread } = conversation
    const { id: session } = port.record()
    conversation.path ??= yield* Effect.promise(() => files.find(thread))
    const { path } = conversation
    if (path === null || !files.isPathOf(path, thread)) {
      return yield* complain(conversation, session, `its file was not found in ${files.home}`)
    }
    const { stored } = conversation
    const read = yield* ConversationFiles.read(files, path, stored, limits.maxCapsuleBytes)
    if (read._tag === "TooLarge") {
      const limit = `it has more than ${limits.maxCapsuleBytes} bytes (TROUPE_MAX_CAPSULE)`
      return yield* complain(conversation, session, limit)
    }
    if (read._tag === "Missing" || read.bytes === 0) return
    if (stored !== null && read.from === read.bytes && stored.turn === turn) return
    const goesOn = stored !== null && read.from > 0
    const added = Math.ceil(read.data.length / CapsuleParts.partBytes)
    const isLong = goesOn && stored.parts + added > mostParts
    const whole = isLong ? yield* ConversationFiles.read(files, path, null, limits.maxCapsuleBytes) : read
    if (whole._tag !== "Read") return
    const storedAt = yield* Clock.currentTimeMillis
    // Another number than any of the session's has, whoever stored them.
    const series = goesOn && !isLong ? stored.series : Math.max(storedAt, (stored?.series ?? 0) + 1)
    const first = goesOn && !isLong ? stored.parts : 0
    const parts = yield* CapsuleParts.of(session, series, first, whole.data)
    const capsule: CapsuleRecord = {
      session,
      thread,
      turn,
      node: thisNode.name,
      epoch: yield* epochOf(session),
      path,
      bytes: whole.bytes,
      hash: whole.hash,
      series,
      parts: first + parts.length,
      storedAt
    }
    for (const part of parts.slice(0, -1)) yield* port.writes.write([part])
    yield* port.writes.write([...parts.slice(-1), { _tag: "CapsuleStored", capsule }])
    conversation.stored = capsule
  })

  /** Never fails, and what goes wrong is said without any word of the conversation. */
  const quietly = <A>(effect: Effect.Effect<A, unknown>, instead: A, what: string) =>
    Effect.catchCause(effect, (cause) => {
      if (Cause.hasInterruptsOnly(cause)) return Effect.interrupt
      const error = Cause.squash(cause)
      return Effect.as(Effect.logWarning(`${what}: ${error instanceof Error ? error.message : "unknown"}`), instead)
    })

  const storing = (port: SessionPort, conversation: Conversation) => {
    const { turn } = conversation
    const failed = `The conversation of session ${port.record().id} could not be stored`
    return conversation.alone.withPermit(quietly(store(port, conversation, turn), undefined, failed))
  }

  /** Detached: a commit can't be interrupted, and one that is held must keep neither a turn nor the end of Troupe. */
  const notLong = (effect: Effect.Effect<void>) =>
    Effect.flatMap(Effect.forkDetach(effect), (fiber) =>
      Effect.asVoid(Effect.timeoutOption(Fiber.await(fiber), storedWithin))
    )

  return {
    /**
     * Puts the conversation that an agent is about to resume, or to copy, where it looks for it. Does nothing where this
     * node has it.
     */
    place: (record: SessionRecord, driver: AgentDriver, wanted: Wanted): Effect.Effect<Found> =>
      homes === "capsule"
        ? quietly(
            place(record, driver, wanted).pipe(
              Effect.timeoutOrElse({
                duration: placedWithin,
                orElse: () => Effect.fail(new Error("it took too long"))
              })
            ),
            PlaceCapsule.nothing,
            `The conversation of session ${record.id} could not be brought to this node`
          )
        : Effect.succeed(PlaceCapsule.nothing),

    /** What is needed to store the conversation of a process that has become ready; `null`: it is not stored. */
    follow: (record: SessionRecord, driver: AgentDriver, { cwd, env, thread }: Wanted) =>
      Effect.gen(function* () {
        const files = homes === "capsule" ? (driver.conversations?.({ cwd, env }) ?? null) : null
        if (files === null) return null
        const capsules = yield* ledger.capsules(record.app, thread).pipe(Effect.orElseSucceed(() => []))
        const conversation: Conversation = {
          files,
          thread,
          alone: yield* Semaphore.make(1),
          turn: 0,
          stored: capsules.find(({ session }) => session === record.id) ?? null,
          path: null,
          complained: false
        }
        return conversation
      }),

    /**
     * Returns when it is stored, or after a while; then it goes on in the background. What its agent may add after the end
     * is stored a moment later, unless the next turn has begun: that one's end stores it.
     */
    store: (port: SessionPort, conversation: Conversation): Effect.Effect<void> =>
      Effect.gen(function* () {
        const { files, turn } = conversation
        yield* notLong(storing(port, conversation))
        if (files.lateMillis === 0) return
        const again = Effect.suspend(() => (conversation.turn === turn ? storing(port, conversation) : Effect.void))
        yield* Effect.forkDetach(Effect.delay(again, files.lateMillis))
      }),

    /** The last time, when the process is gone: an agent may write to its file until then. As `store`, it takes a while at most. */
    finish: (port: SessionPort, conversation: Conversation): Effect.Effect<void> => notLong(storing(port, conversation))
  } as const
})

export type Capsules = Effect.Success<typeof make>
