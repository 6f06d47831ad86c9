/** Lets go of one session, so that another node can have it: not while its agent is at work. */
import { Effect } from "effect"
import { stateName } from "../../machines/session/stateInfo.ts"
import type { SessionId } from "../domain/Ids.ts"
import { DrainState } from "../runtime/DrainState.ts"
import { failedBy } from "./expectEnds.ts"
import { canHibernate, waitsForTime } from "./handOver.ts"
import type { SessionMessages } from "./sessionMessages.ts"
import { Supervisor } from "./Supervisor.ts"

type Released = SessionMessages["release"]["answer"]["Type"]

/** Between two looks at a process that is being ended. */
const lookAgain = "20 millis"
const reason = "the session moves to another node"

export const make = Effect.gen(function* () {
  const drainState = yield* DrainState
  const supervisor = yield* Supervisor

  /** `null`: its process is being ended, and it is to be looked at again. */
  const attempt = Effect.fnUntraced(function* (session: SessionId): Effect.fn.Return<Released | null, unknown> {
    const view = supervisor.view(session)
    const state = view === null ? null : stateName(view.snapshot)
    const waits = view?.snapshot.hasTag("promptPending") === true || drainState.isHeldBack(session)
    if (state === "closed") return { _tag: "Closed" }
    if (view === null || state === null || waits || waitsForTime.has(state)) {
      yield* supervisor.letGo(session)
      return { _tag: "Released" }
    }
    if (view.snapshot.hasTag("turnOpen")) return { _tag: "AtWork", turn: view.snapshot.context.turn }
    if (canHibernate.has(state)) {
      yield* Effect.ignore(supervisor.send(session, { event: { type: "hibernate.requested", reason }, by: "troupe" }))
    }
    return null
  })

  return ({ session }: { readonly session: SessionId }) =>
    Effect.gen(function* () {
      // From now on its next turn is brought to no agent here, so that none has it when it is let go of.
      drainState.leaves(session)
      let released = yield* attempt(session)
      while (released === null) {
        yield* Effect.sleep(lookAgain)
        released = yield* attempt(session)
      }
      // Something came in between, which nobody would go on with here.
      if (released._tag !== "Released" && drainState.stays(session)) {
        yield* supervisor.letGo(session)
        return { _tag: "Released" } as const
      }
      return released
    }).pipe(
      Effect.ensuring(Effect.sync(() => void drainState.stays(session))),
      Effect.mapError((cause) => failedBy(session, cause))
    )
})
