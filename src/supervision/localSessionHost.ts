/** Answers the messages of sessions by the actors of this process. */
import { Effect } from "effect"
import { stateInfo } from "../../machines/session/stateInfo.ts"
import type { SessionId } from "../domain/Ids.ts"
import { DrainState } from "../runtime/DrainState.ts"
import { ThisNode } from "../runtime/ThisNode.ts"
import { ActorFailed, OwnedElsewhere } from "../session/Envelope.ts"
import type { Unstamped } from "../session/Envelope.ts"
import { failedBy } from "./expectEnds.ts"
import * as PromptFiles from "./promptFiles.ts"
import * as LookAt from "./look.ts"
import { SessionHost } from "./SessionHost.ts"
import { SubmissionConflict } from "./sessionMessages.ts"
import * as ReleaseSession from "./releaseSession.ts"
import * as SteerTurn from "./steerTurn.ts"
import { Supervisor } from "./Supervisor.ts"

export const make = Effect.gen(function* () {
  const files = yield* PromptFiles.make
  const look = yield* LookAt.make
  const release = yield* ReleaseSession.make
  const steer = yield* SteerTurn.make
  const supervisor = yield* Supervisor
  const { draining } = yield* DrainState
  const { isAlone } = yield* ThisNode

  /**
   * A node that drains takes no turn that another one can begin at once: the session is let go of, and is asked for again. One
   * behind a turn that runs here is taken, and handed over when that has ended.
   */
  const elsewhere = Effect.fnUntraced(function* (session: SessionId) {
    if (isAlone || !draining()) return
    const view = supervisor.view(session)
    if (view?.snapshot.hasTag("turnOpen") === true) return
    if (view === null) yield* Effect.ignore(supervisor.letGo(session))
    return yield* failedBy(session, new OwnedElsewhere({ id: session, owner: null }))
  })

  const send = (id: SessionId, message: Parameters<typeof supervisor.send>[1]) =>
    Effect.catchIf(
      supervisor.send(id, message),
      (error): error is ActorFailed => error instanceof ActorFailed,
      ({ cause }) => Effect.fail(failedBy(id, cause))
    )

  /** What the session's state takes, or does not take now. */
  const taken = ({ by, session }: Asked, event: Unstamped) =>
    send(session, { event, by }).pipe(
      Effect.as({ isTaken: true }),
      Effect.catchTag("EventRefused", () => Effect.succeed({ isTaken: false }))
    )

  /** After the step, so what is not open any more has been told to those who wait. */
  const isOpen = (session: SessionId, turn: number) => {
    const snapshot = supervisor.view(session)?.snapshot
    if (snapshot === undefined) return false
    const { queue, turn: current } = snapshot.context
    return (snapshot.hasTag("turnOpen") && current === turn) || queue.some((waiting) => waiting.turn === turn)
  }

  return SessionHost.of({
    submit: Effect.fnUntraced(function* ({ by, session, turn: event }) {
      yield* elsewhere(session)
      yield* Effect.mapError(files.fetch(session, event), (cause) => failedBy(session, cause))
      const { after, known, turn } = yield* send(session, { event, by })
      if (known === undefined) return { after, turn, isKnown: false, isOpen: true }
      const { fingerprint = null, id: submission = "" } = event.name ?? {}
      if (known.fingerprint !== fingerprint) return yield* new SubmissionConflict({ id: session, submission })
      return { after, turn, isKnown: true, isOpen: known.isOpen }
    }),
    interrupt: ({ by, reason, session, turn }) => {
      const event = { type: "interrupt.requested", reason, ...(turn === null ? {} : { turn }) } as const
      return send(session, { event, by }).pipe(
        Effect.map((reply) => {
          const target = turn ?? reply.turn
          return { isTaken: true, turn: target, isOpen: isOpen(session, target) }
        }),
        Effect.catchTag("EventRefused", (refused) =>
          Effect.succeed({ isTaken: false, turn: turn ?? refused.turn, isOpen: false })
        )
      )
    },
    steer,
    answer: ({ answers, approval: id, by, resolution, session }) =>
      send(session, {
        event: { type: "approval.settled", id },
        by,
        resolution,
        ...(answers === null ? {} : { answers })
      }).pipe(
        Effect.as({ isTaken: true }),
        Effect.catchTag("EventRefused", () => Effect.succeed({ isTaken: false }))
      ),
    close: ({ afterTurn, by, reason, session }) =>
      send(session, { event: { type: afterTurn ? "expire.requested" : "close.requested", reason }, by }).pipe(
        Effect.map(({ to }) => ({
          isTaken: true,
          awaitsTurn: afterTurn && stateInfo[to].tags.has("turnOpen"),
          isClosed: stateInfo[to].state === "closed"
        })),
        Effect.catchTag("EventRefused", () => Effect.succeed({ isTaken: false, awaitsTurn: false, isClosed: false }))
      ),
    change: ({ settings, ...asked }) => taken(asked, { type: "settings.changed", settings }),
    chooseAgent: ({ agent, settings, ...asked }) => taken(asked, { type: "agent.chosen", agent, settings }),
    unpark: (asked) => taken(asked, { type: "unpark.requested" }),
    hibernate: ({ reason, ...asked }) => taken(asked, { type: "hibernate.requested", reason }),
    release,
    adopt: ({ session }) =>
      supervisor.wake(session).pipe(
        Effect.mapError(({ cause }) => failedBy(session, cause)),
        Effect.as({ isTaken: true })
      ),
    look,
    loaded: (session) => supervisor.view(session)?.record ?? null
  })
})

interface Asked {
  readonly session: SessionId
  readonly by: string
}
