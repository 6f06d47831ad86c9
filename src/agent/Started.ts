/**
 * An agent's process that was started and has shaken hands, and knows no session yet.
 *
 * Every session's process is one for a moment. A spare stays one until a session comes that it can serve: one for which
 * the process would have been started in the same way. What its start has bound is in the key of its `SpareSpec`.
 */
import { Effect, Exit, Scope } from "effect"
import type { LeaseId } from "../domain/Ids.ts"
import type { Spare } from "./Agent.ts"
import type { Child } from "./Child.ts"
import * as JsonRpc from "./JsonRpc.ts"
import type { Peer, PeerOptions } from "./JsonRpc.ts"
import { methodNotFound, RpcError } from "./RpcError.ts"

export interface Started {
  /** Its processes have the mark of this lease, whichever session it becomes the agent of. */
  readonly lease: LeaseId
  readonly child: Child
  readonly peer: Peer
  /** Its environment. */
  readonly env: Readonly<Record<string, string>>
  /** What it answered to `initialize`. */
  readonly initialized: unknown
  /** Hands over what it says from now on, and before that what it has said so far. Once. */
  readonly listen: (to: Listener) => Effect.Effect<void>
}

export type Listener = Pick<PeerOptions, "onNotification" | "onRequest">

/** A process that waits, as the driver has it that started it. It ends with its scope. */
export class StartedSpare implements Spare {
  readonly started: Started
  readonly lease: LeaseId
  readonly pid: number
  readonly ended: Effect.Effect<void>
  readonly close: Effect.Effect<void>

  constructor(started: Started, scope: Scope.Closeable) {
    const { child, lease, peer } = started
    this.started = started
    this.lease = lease
    this.pid = child.pid
    this.ended = Effect.raceFirst(Effect.asVoid(child.exit), Effect.ignore(peer.ended))
    this.close = Scope.close(scope, Exit.void)
  }
}

/** Runs the start of a spare in the scope with which it ends. */
export const inItsScope = <A, E>(
  start: Effect.Effect<A, E, Scope.Scope>,
  { scope }: { readonly scope: Scope.Closeable }
): Effect.Effect<A, E> => Scope.provide(start, scope)

export const ofSpare = (spare: Spare): Started => {
  if (spare instanceof StartedSpare) return spare.started
  throw new Error("a spare is taken over by the driver that started it")
}

/** Of what an agent says before it has a session, the first is kept: the warnings of its start. */
const mostKept = 64
const mostKeptCharacters = 1024 * 1024

/** Listens to a process until its session does. */
class Waiting implements PeerOptions {
  readonly versioned: boolean
  #said: Array<Parameters<Listener["onNotification"]>> = []
  #characters = 0
  #listener: Listener | null = null

  constructor(versioned: boolean) {
    this.versioned = versioned
  }

  onNotification(method: string, params: unknown, raw: string): Effect.Effect<void> {
    if (this.#listener !== null) return this.#listener.onNotification(method, params, raw)
    this.#characters += raw.length
    if (this.#said.length < mostKept && this.#characters < mostKeptCharacters) this.#said.push([method, params, raw])
    return Effect.void
  }

  onRequest(method: string, params: unknown, id: unknown, raw: string): Effect.Effect<unknown, RpcError> {
    return this.#listener === null
      ? Effect.fail(new RpcError({ code: methodNotFound, message: `"Method not found": ${method}`, data: { method } }))
      : this.#listener.onRequest(method, params, id, raw)
  }

  listen(to: Listener): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      for (let next = this.#said.shift(); next !== undefined; next = this.#said.shift()) {
        yield* to.onNotification(...next)
      }
      // Nothing can come between the last look and this.
      this.#listener = to
    })
  }
}

/** The peer of a process that has no session yet. */
export const waitingPeer = Effect.fnUntraced(function* (child: Child, { versioned }: Pick<PeerOptions, "versioned">) {
  const waiting = new Waiting(versioned)
  const peer = yield* JsonRpc.make(child, waiting)
  return { peer, listen: (to: Listener) => waiting.listen(to) }
})

/** The spare becomes the process of a session: it ends with the session's scope, and keeps its secrets, too. */
export const takeOver = Effect.fnUntraced(function* (spare: Spare, secrets: ReadonlyArray<string>) {
  const started = ofSpare(spare)
  yield* Effect.addFinalizer(() => spare.close)
  started.child.keepSecrets(secrets)
  return started
})
