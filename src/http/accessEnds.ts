/**
 * The end of a caller's access, for answers that last: a stream or a long turn ends when its token is revoked or replaced.
 *
 * The token is looked up again and again, because another process may have revoked it (`troupe app revoke` beside a
 * running server).
 */
import { Context, Effect } from "effect"
import type { ProblemDetails } from "./contract/Problem.ts"

const accessEnded = {
  code: "unauthorized",
  status: 401,
  detail: "The token of this request was revoked or replaced while it was being answered. Ask again with a valid one."
} as const satisfies ProblemDetails

export type AccessEnded = typeof accessEnded

/** An answer ends within five seconds after its token did: the rest is for the look-up and the network. */
export const lookEveryMillis = 4000

/**
 * Looks at once and again and again, and fails when the access of the current request's caller has ended. Set where the
 * caller is authenticated, so the first look is made `lookEveryMillis` later.
 */
export const AccessEnds = Context.Reference<Effect.Effect<never, AccessEnded>>("troupe/http/AccessEnds", {
  defaultValue: () => Effect.never
})

/** `authenticate` fails with 401 where the access has ended. Another failure says nothing about it: it is ours. */
export const accessEnds = (
  authenticate: Effect.Effect<unknown, Pick<ProblemDetails, "status">>
): Effect.Effect<never, AccessEnded> =>
  authenticate.pipe(
    Effect.catch(({ status }) => (status === 401 ? Effect.fail(accessEnded) : Effect.void)),
    Effect.andThen(Effect.sleep(lookEveryMillis)),
    Effect.forever
  )
