/** Moves a session to another node by hand: its owner lets go of it, and the other one claims it. */
import { Context, Effect, Layer, Option } from "effect"
import type { SessionId } from "../domain/Ids.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { LedgerError, NodeRecord } from "../ledger/Ledger.ts"
import { RuntimeSettings } from "../runtime/RuntimeSettings.ts"
import { ThisNode } from "../runtime/ThisNode.ts"
import { failedBy } from "../supervision/expectEnds.ts"
import { SessionHost } from "../supervision/SessionHost.ts"
import type { SessionFailed } from "../supervision/sessionMessages.ts"
import { LocalSessions } from "./LocalSessions.ts"
import * as NodeClients from "./nodeClients.ts"
import * as PlaceSession from "./placeSession.ts"

export type Moved =
  | { readonly _tag: "Moved" | "WasThere"; readonly node: string }
  | { readonly _tag: "AtWork"; readonly turn: number }
  | { readonly _tag: "Closed" }
  /** In a sentence, for whoever asked. */
  | { readonly _tag: "NoSuchNode"; readonly problem: string }
  /** This Troupe is alone. */
  | { readonly _tag: "Alone" }

/** The claim of a session, and what is to be settled in it. */
const adoptedWithin = "30 seconds"
/** A session that was let go of may be claimed by whoever has a request for it, before the node that it is to go to. */
const mostAttempts = 5

export class Moves extends Context.Service<
  Moves,
  {
    /** `to`: a node's name; `null`: the one that has the most room. Fails where that node does not take it. */
    readonly move: (
      session: SessionId,
      by: string,
      to: string | null
    ) => Effect.Effect<Moved, SessionFailed | LedgerError>
  }
>()("troupe/cluster/Moves") {
  static readonly layer = Layer.effect(
    Moves,
    Effect.suspend(() => make)
  ).pipe(Layer.provide(NodeClients.httpLayer))
}

const make = Effect.gen(function* () {
  const host = yield* SessionHost
  const ledger = yield* Ledger
  const local = yield* LocalSessions
  const { isAlone, token } = yield* ThisNode
  const { node: settings } = yield* RuntimeSettings
  const placement = yield* PlaceSession.make
  const clientOf = settings?.secret === undefined ? null : yield* NodeClients.make(settings.secret)

  /** Where it is to go, or why it can't. */
  const target = Effect.fnUntraced(function* (session: SessionId, owner: NodeRecord | null, to: string | null) {
    if (to === null) {
      const except = new Set(owner === null ? [] : [owner.token])
      return (
        (yield* placement(session, except)) ?? "No other node takes sessions. troupe node ls shows which there are."
      )
    }
    const nodes = yield* ledger.nodes
    const node = nodes.find(({ name }) => name === to)
    if (node === undefined) {
      const names = nodes.map(({ name }) => name).join(", ")
      return `No node called ${JSON.stringify(to)} works on the database. Those that do: ${names}.`
    }
    if ((node.draining || node.drainAsked) && node.token !== owner?.token) {
      return `Node ${to} drains and takes no sessions. Choose another one, or troupe node undrain ${to} first.`
    }
    return node
  })

  const adopted = Effect.fnUntraced(function* (node: NodeRecord, session: SessionId, by: string) {
    if (node.token === token) return yield* local.adopt({ session, by })
    const cannot = (cause: unknown) => failedBy(session, cause)
    if (node.url === null || clientOf === null) return yield* cannot(new Error(`node ${node.name} has no address`))
    const client = yield* clientOf(node.url)
    return yield* client.adopt({ session, by }).pipe(Effect.timeout(adoptedWithin), Effect.mapError(cannot))
  })

  const attempt = Effect.fnUntraced(function* (session: SessionId, by: string, to: string | null) {
    const owner = Option.getOrNull(yield* ledger.ownerOf(session))
    const node = yield* target(session, owner, to)
    if (typeof node === "string") return { _tag: "NoSuchNode", problem: node } as const
    if (node.token === owner?.token) return { _tag: "WasThere", node: node.name } as const
    const released = yield* host.release({ session, by })
    if (released._tag !== "Released") return released
    yield* adopted(node, session, by)
    return { _tag: "Moved", node: node.name } as const
  })

  const move: Moves["Service"]["move"] = Effect.fnUntraced(function* (session, by, to) {
    if (isAlone) return { _tag: "Alone" }
    for (let left = mostAttempts; ; left--) {
      const moved: Moved | null = yield* attempt(session, by, to).pipe(
        Effect.catchIf(
          (error) => left > 1 && error._tag === "SessionFailed" && error.passing === "session_moved",
          () => Effect.succeed(null)
        )
      )
      if (moved === null) continue
      return moved._tag === "WasThere" && left < mostAttempts ? { ...moved, _tag: "Moved" } : moved
    }
  })

  return Moves.of({ move })
})
