/**
 * Has the first start of an agent go alone, so that the others find a login that it has renewed.
 *
 * Each codex process reads the one `auth.json`, whose refresh token works once. Of many that start at once with an old
 * login, all but one would be refused (`agent/codex/freshLogin.ts` mends that afterwards).
 */
import { Clock, Deferred, Effect } from "effect"

/** Those behind it wait no longer than this: it may hang. */
const aloneFor = "5 seconds"
/** For so long after a start the login counts as renewed. */
const freshMillis = 10 * 60_000

type Kind =
  | { readonly _tag: "Starting"; readonly ended: Deferred.Deferred<void> }
  | { readonly _tag: "Ready"; readonly at: number }

export const make = () => {
  const kinds = new Map<string, Kind>()

  /** `open` starts a process of this agent. */
  return <A, E, R>(agent: string, open: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const kind = kinds.get(agent)
      if (kind?._tag === "Starting") {
        return Effect.andThen(Effect.timeoutOption(Deferred.await(kind.ended), aloneFor), open)
      }
      if (kind !== undefined && now - kind.at < freshMillis) return open
      const ended = Deferred.makeUnsafe<void>()
      kinds.set(agent, { _tag: "Starting", ended })
      return open.pipe(
        Effect.tap(() => Effect.map(Clock.currentTimeMillis, (at) => kinds.set(agent, { _tag: "Ready", at }))),
        Effect.onExit((exit) =>
          Effect.sync(() => {
            // The next one is the first again.
            if (exit._tag === "Failure") kinds.delete(agent)
            Deferred.doneUnsafe(ended, Effect.void)
          })
        )
      )
    })
}
