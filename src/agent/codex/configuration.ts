/** Codex's own configuration as it is in force (`config/read`), requested once for a connection. */
import { Effect } from "effect"
import { objectIn } from "../../domain/json.ts"
import type { JsonObject } from "../../domain/json.ts"
import type { Peer } from "../JsonRpc.ts"
import type { RpcSilent } from "../RpcError.ts"

/** A codex that does not know the request, or refuses it, has an empty one. */
export type Configuration = Effect.Effect<Read, RpcSilent>

interface Read {
  readonly config: JsonObject
  /** Where each value comes from that is set, by its dotted key, also of those that `config` does not have (0.171). */
  readonly origins: JsonObject
}

/** 0.171 answers in 10 ms. */
const withinMillis = 10_000

/** A spare has requested it while it waited: where one of the files changes it is read from, the spare is given up. */
const requested = new WeakMap<Peer, Configuration>()

export const of = (peer: Peer): Effect.Effect<Configuration> =>
  Effect.suspend(() => {
    const known = requested.get(peer)
    return known === undefined
      ? Effect.tap(make(peer), (made) => Effect.sync(() => requested.set(peer, made)))
      : Effect.succeed(known)
  })

const make = (peer: Peer): Effect.Effect<Configuration> =>
  Effect.cached(
    peer.request("config/read", {}, { timeoutMillis: withinMillis }).pipe(
      Effect.catchTag("RpcError", () => Effect.succeed({})),
      Effect.map((reply) => {
        const { config, origins } = objectIn(reply)
        return { config: objectIn(config), origins: objectIn(origins) }
      })
    )
  )
