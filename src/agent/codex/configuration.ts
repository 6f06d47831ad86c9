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

export const make = (peer: Peer): Effect.Effect<Configuration> =>
  Effect.cached(
    peer.request("config/read", {}, { timeoutMillis: withinMillis }).pipe(
      Effect.catchTag("RpcError", () => Effect.succeed({})),
      Effect.map((reply) => {
        const { config, origins } = objectIn(reply)
        return { config: objectIn(config), origins: objectIn(origins) }
      })
    )
  )
