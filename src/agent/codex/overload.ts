/**
 * codex's answer to a request that it had no room for: -32001, "Server overloaded; retry later." About 128 requests fit
 * (0.169). It took nothing, so the same request is made again.
 */
import { Effect, Random } from "effect"
import type { RpcError, RpcSilent } from "../RpcError.ts"

const overloaded = -32001

/** How often an overloaded codex is asked again. */
const maxRetries = 5

export const isOverloaded = (error: RpcError | RpcSilent): boolean =>
  error._tag === "RpcError" && error.code === overloaded

/** The wait before each retry is twice the last one, with jitter: what was refused together must not come back together. */
export const waitBefore = (retry: number, baseMillis: number): Effect.Effect<void> =>
  Effect.flatMap(Random.next, (random) => Effect.sleep(baseMillis * 2 ** retry * (0.8 + 0.4 * random)))

export const mayRetry = (error: RpcError | RpcSilent, retries: number): boolean =>
  isOverloaded(error) && retries < maxRetries

/** Makes a request again while codex is overloaded. `report` is told of each retry before its wait. */
export const retrying = <A>(
  request: Effect.Effect<A, RpcError | RpcSilent>,
  options: { readonly baseMillis: number; readonly report: (error: RpcError | RpcSilent) => Effect.Effect<void> }
): Effect.Effect<A, RpcError | RpcSilent> => {
  const attempt = (retries: number): Effect.Effect<A, RpcError | RpcSilent> =>
    Effect.catchIf(
      request,
      (error) => mayRetry(error, retries),
      (error) =>
        options
          .report(error)
          .pipe(Effect.andThen(waitBefore(retries, options.baseMillis)), Effect.andThen(attempt(retries + 1)))
    )
  return attempt(0)
}
