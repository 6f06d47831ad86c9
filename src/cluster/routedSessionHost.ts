/**
 * Asks the node that owns a session, whichever node was asked. The first turn of a session that nobody owns, or only a node
 * that is gone, goes to the node that is to have it (`placement.ts`).
 *
 * A node that does not answer owns its sessions until it is declared dead. So whoever asks waits for the answer, for the
 * session's next owner, or until some time after the end of that lease.
 */
import { Clock, Effect, Layer, Option, Schedule } from "effect"
import { RpcClientError } from "effect/rpc"
import { chartVersion } from "../../machines/session/restore.ts"
import type { NodeToken, SessionId } from "../domain/Ids.ts"
import { Draining } from "../domain/Refusal.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { NodeRecord } from "../ledger/Ledger.ts"
import { DrainState } from "../runtime/DrainState.ts"
import { RuntimeSettings } from "../runtime/RuntimeSettings.ts"
import { ThisNode } from "../runtime/ThisNode.ts"
import { failedBy } from "../supervision/expectEnds.ts"
import { SessionHost } from "../supervision/SessionHost.ts"
import { SessionFailed } from "../supervision/sessionMessages.ts"
import type { Submit } from "../supervision/sessionMessages.ts"
import { LocalSessions } from "./LocalSessions.ts"
import * as LookEverywhere from "./lookEverywhere.ts"
import * as NodeClients from "./nodeClients.ts"
import * as PlaceSession from "./placeSession.ts"
import type { NodeClient } from "./nodeClients.ts"

/** Between two looks for the owner: at first, since one that drains lets go of it at once, and at most. */
const lookAgainMillis = { first: 50, most: 200 }
/** Of a node that lives. No message waits for an agent longer. */
const answerWithin = "60 seconds"
/** Beyond the lease of a node that does not answer: what it takes to notice that, and to claim its session. */
const beyondLeaseMillis = 15_000

const makeRouted = Effect.gen(function* () {
  const ledger = yield* Ledger
  const local = yield* LocalSessions
  const { leaseMillis, token } = yield* ThisNode
  if (leaseMillis === null) return local
  const { draining } = yield* DrainState
  const { node } = yield* RuntimeSettings
  const placement = yield* PlaceSession.make
  const clientOf = node?.secret === undefined ? null : yield* NodeClients.make(node.secret)

  const isNewer = (session: SessionId) =>
    Effect.map(
      ledger.placeOf(session),
      Option.exists(({ chart }) => chart > chartVersion)
    )

  /** The living node that has the session, or is to have it. `null`: it is to have none, and this one drains. */
  const nodeFor = Effect.fnUntraced(function* (
    session: SessionId,
    { begins }: Kind,
    unreached: ReadonlySet<NodeToken>
  ) {
    const owner = yield* ledger.ownerOf(session)
    if (Option.isSome(owner)) return owner.value.token === token ? here : owner.value
    // What begins no work moves no session, but to a node that knows its chart.
    if (!draining() && !begins && !(yield* isNewer(session))) return here
    const node = yield* placement(session, unreached)
    if (node !== null) return node.token === token ? here : node
    return draining() ? null : here
  })

  /** Succeeds when the session's owner is another one by now, or there is none and the node that was asked is gone. */
  const isOver = (session: SessionId, { token: before }: NodeRecord) =>
    ledger.ownerOf(session).pipe(
      Effect.flatMap(
        Option.match({
          onNone: () => Effect.map(ledger.nodes, (nodes) => !nodes.some((node) => node.token === before)),
          onSome: (owner) => Effect.succeed(owner.token !== before)
        })
      ),
      // While the ledger is away nobody takes it over.
      Effect.orElseSucceed(() => false),
      Effect.repeat({ schedule: Schedule.spaced(leaseMillis / 4), until: (over) => over }),
      Effect.asVoid
    )

  /** `None`: the session's owner is to be looked for again. */
  const attempt = Effect.fnUntraced(function* <A, E>(
    session: SessionId,
    kind: Kind,
    unreached: Set<NodeToken>,
    asked: Effect.Effect<A, E>,
    there: (client: NodeClient) => Effect.Effect<A, E | RpcClientError.RpcClientError>
  ) {
    const node = yield* Effect.mapError(nodeFor(session, kind, unreached), (cause) => failedBy(session, cause))
    if (node === null && kind.begins) return yield* failedBy(session, new Draining({}))
    if (node === null || node === here) return yield* unlessMoved(asked)
    const { name, url } = node
    if (url === null || clientOf === null) {
      return yield* failedBy(session, new Error(`node ${name} has the session, and has no address for other nodes`))
    }
    return yield* there(yield* clientOf(url)).pipe(
      unlessMoved,
      Effect.timeoutOrElse({ duration: answerWithin, orElse: () => Effect.fail(failedBy(session, noAnswer(name))) }),
      Effect.raceFirst(Effect.as(isOver(session, node), Option.none<A>())),
      Effect.catchIf(isUnanswered, (cause) => {
        // Where it does not own the session, another one may have it at once.
        unreached.add(node.token)
        return kind.isRepeatable ? Effect.succeedNone : Effect.fail(failedBy(session, cause))
      })
    )
  })

  const route = Effect.fnUntraced(function* <A, E>(
    session: SessionId,
    kind: Kind,
    asked: Effect.Effect<A, E>,
    there: (client: NodeClient) => Effect.Effect<A, E | RpcClientError.RpcClientError>
  ) {
    const unreached = new Set<NodeToken>()
    let delay = lookAgainMillis.first
    const giveUpAt = (yield* Clock.currentTimeMillis) + leaseMillis + beyondLeaseMillis
    while (true) {
      const answer = yield* attempt(session, kind, unreached, asked, there)
      if (Option.isSome(answer)) return answer.value
      if ((yield* Clock.currentTimeMillis) > giveUpAt) return yield* failedBy(session, moved)
      yield* Effect.sleep(delay)
      delay = Math.min(lookAgainMillis.most, 2 * delay)
    }
  })

  // What is asked twice is done once, but for words to a turn, and the interrupt of whichever turn runs.
  return SessionHost.of({
    submit: (request) =>
      Effect.suspend(() => {
        const next = eachAttempt(request)
        const asked = Effect.suspend(() => local.submit(next()))
        return route(request.session, turn, asked, (node) => node.submit(next()))
      }),
    interrupt: (request) =>
      route(request.session, request.turn === null ? once : repeatable, local.interrupt(request), (node) =>
        node.interrupt(request)
      ),
    steer: (request) => route(request.session, once, local.steer(request), (node) => node.steer(request)),
    answer: (request) => route(request.session, repeatable, local.answer(request), (node) => node.answer(request)),
    close: (request) => route(request.session, repeatable, local.close(request), (node) => node.close(request)),
    change: (request) => route(request.session, repeatable, local.change(request), (node) => node.change(request)),
    chooseAgent: (request) =>
      route(request.session, repeatable, local.chooseAgent(request), (node) => node.chooseAgent(request)),
    unpark: (request) => route(request.session, repeatable, local.unpark(request), (node) => node.unpark(request)),
    hibernate: (request) =>
      route(request.session, repeatable, local.hibernate(request), (node) => node.hibernate(request)),
    release: (request) => route(request.session, repeatable, local.release(request), (node) => node.release(request)),
    adopt: local.adopt,
    look: yield* LookEverywhere.make(local, clientOf),
    loaded: local.loaded
  })
})

/** The submission as it is sent first, and then again: from then on its turn may be stored, and only the answer was lost. */
const eachAttempt = (request: typeof Submit.Type) => {
  let sent = false
  return (): typeof Submit.Type => {
    if (sent) return { ...request, turn: { ...request.turn, mayBeKnown: true } }
    sent = true
    return request
  }
}

const here = "here"

interface Kind {
  /** Asked twice, it is done once. */
  readonly isRepeatable: boolean
  /** It begins work, which a node that drains does not. */
  readonly begins: boolean
}
const turn: Kind = { isRepeatable: true, begins: true }
const repeatable: Kind = { isRepeatable: true, begins: false }
const once: Kind = { isRepeatable: false, begins: false }

const noAnswer = (name: string) => new Error(`node ${name}, which has the session, did not answer in ${answerWithin}`)

const moved = { passing: "session_moved" } as const

const isMoved = (error: unknown): boolean => error instanceof SessionFailed && error.passing === "session_moved"

const unlessMoved = <A, E>(asked: Effect.Effect<A, E>) =>
  Effect.asSome(asked).pipe(Effect.catchIf(isMoved, () => Effect.succeedNone))

const isUnanswered = <E>(error: E | RpcClientError.RpcClientError): error is RpcClientError.RpcClientError =>
  error instanceof RpcClientError.RpcClientError

export const layer = Layer.effect(SessionHost, makeRouted).pipe(Layer.provide(NodeClients.httpLayer))
