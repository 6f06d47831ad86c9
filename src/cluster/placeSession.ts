/** Which node is to have a session that nobody owns, by what the ledger says of the session and of the nodes. */
import { Clock, Effect, Option, Random } from "effect"
import type { NodeToken, SessionId } from "../domain/Ids.ts"
import { Ledger } from "../ledger/Ledger.ts"
import { DrainState } from "../runtime/DrainState.ts"
import { RuntimeSettings } from "../runtime/RuntimeSettings.ts"
import { ThisNode } from "../runtime/ThisNode.ts"
import { choose } from "./placement.ts"

export const make = Effect.gen(function* () {
  const { draining } = yield* DrainState
  const { homes = "local" } = yield* RuntimeSettings
  const ledger = yield* Ledger
  const { leaseMillis, load, token } = yield* ThisNode

  /** `null`: none takes this session. `except` are not asked. */
  return Effect.fnUntraced(function* (session: SessionId, except: ReadonlySet<NodeToken> = new Set()) {
    const place = yield* ledger.placeOf(session)
    if (Option.isNone(place)) return null
    const nodes = yield* ledger.nodes
    return choose({
      // Of itself it knows more than the ledger.
      nodes: nodes.filter((node) => !except.has(node.token) && !(node.token === token && draining())),
      self: nodes.find((node) => node.token === token),
      selfLoad: load(yield* Clock.currentTimeMillis),
      leaseMillis: leaseMillis ?? 0,
      place: place.value,
      prefersHome: homes !== "shared",
      chance: yield* Random.next
    })
  })
})
