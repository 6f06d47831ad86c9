/** The apps of a simulation: what they ask of Troupe, and what they were answered. They outlive each of its starts. */
import { Effect, Exit, Stream } from "effect"
import type { Context } from "effect"
import { AppName } from "../../src/domain/Ids.ts"
import type { SessionId } from "../../src/domain/Ids.ts"
import { SessionHost } from "../../src/supervision/SessionHost.ts"
import type { TurnResult } from "../../src/domain/Turn.ts"
import { Operator } from "../../src/services/Operator.ts"
import { Sessions } from "../../src/services/Sessions.ts"
import type { Turning } from "../../src/services/Sessions.ts"
import type { Incarnation, RuntimeServices } from "./Incarnation.ts"
import type { PlanStep } from "./plan.ts"
import type { World } from "./World.ts"

const app = AppName.make("app")
const caller = { _tag: "App", app } as const

export interface Reader {
  readonly session: SessionId
  /** The number of the last event that it got. */
  last: number
  /** Its stream ended because the session was closed. */
  isDone: boolean
  /** The runtime that it reads from; `null`: it does not. */
  from: Incarnation | null
  /** How many streams it has begun to read. */
  streams: number
}

/** The runtime that gets a request for this session, or a new one. */
export type Choose = (session: SessionId | null) => Incarnation

export class Clients {
  readonly sessions: Array<SessionId> = []
  readonly readers: Array<Reader> = []
  /** Turns that were accepted in words to the app. */
  readonly accepted: Array<{ readonly session: SessionId; readonly turn: number }> = []
  /** Of those, the ones that were submitted under a key, each time that one was. */
  readonly keyed: Array<{ readonly session: SessionId; readonly key: string; readonly turn: number }> = []
  /** What the app was given as a turn's result. */
  readonly results: Array<{ readonly session: SessionId; readonly turn: number; readonly result: TurnResult }> = []
  /** Requests to runtimes that are up that were not answered yet. */
  readonly pending = new Map<string, Incarnation>()
  #turnings: Array<{ readonly turning: Turning; readonly runtime: Incarnation }> = []
  #requests = 0
  readonly #choose: Choose
  readonly #world: World

  constructor(world: World, choose: Choose) {
    this.#world = world
    this.#choose = choose
  }

  /** A runtime is gone: what was asked of it gets no answer, and its readers come back where they were. */
  lose(runtime: Incarnation): void {
    this.#turnings = this.#turnings.filter((turning) => turning.runtime !== runtime)
    for (const [request, to] of this.pending) if (to === runtime) this.pending.delete(request)
    for (const reader of this.readers) if (reader.from === runtime) reader.from = null
  }

  /** Readers that have nobody to read from go to any node: each has the news of all. */
  followAll(): void {
    for (const reader of this.readers) this.follow(reader)
  }

  #request<A, E>(
    what: string,
    runtime: Incarnation,
    effect: Effect.Effect<A, E, RuntimeServices>,
    onExit: (exit: Exit.Exit<A, E>) => void
  ): void {
    if (!runtime.isUp) return this.#world.note(`${what}: nobody is there`)
    const request = `${what} (request ${++this.#requests})`
    this.pending.set(request, runtime)
    runtime.run(effect, (exit) => {
      this.pending.delete(request)
      onExit(exit)
    })
  }

  perform({ a, action, b }: PlanStep): void {
    const session = this.sessions[a % Math.max(1, this.sessions.length)]
    if (action === "create") return this.#create()
    if (session === undefined) return
    switch (action) {
      case "submit":
        return this.#submit(session, b)
      case "submitKeyed":
        return this.#submitKeyed(session, b)
      case "read":
        return this.#attach(session)
      case "interrupt":
        return this.#ask("interrupt", session, (sessions) => sessions.interrupt(caller, session))
      case "interruptTurn": {
        const turning = this.#turnings[b % Math.max(1, this.#turnings.length)]
        if (turning === undefined) return
        const { interrupt, index, session: of } = turning.turning
        return this.#ask(`interrupt of turn ${index}`, of, () => interrupt, turning.runtime)
      }
      case "steer":
        return this.#ask("steer", session, (sessions) => sessions.steer(caller, session, "more"))
      case "compact":
        return this.#turn("compact", session, (sessions) => sessions.compact(caller, session))
      case "answer":
        return this.#answer(session, b)
      case "change":
        return this.#ask("change", session, (sessions) => sessions.change(caller, session, { model: `model-${b % 3}` }))
      case "close":
        return this.#ask("close", session, (sessions) => sessions.close(caller, session))
      case "unpark":
        return this.#ask("unpark", session, (sessions) => sessions.unpark(session))
      case "letGo":
        // The first half of a move: the next node that is asked for it claims it.
        return this.#choose(session).run(
          Effect.flatMap(SessionHost, ({ release }) => Effect.ignore(release({ session, by: "admin" })))
        )
      case "sweep":
        return this.#choose(null).run(Effect.flatMap(Operator, ({ sweep }) => sweep))
    }
  }

  closeAll(open: ReadonlyArray<SessionId>): void {
    for (const session of open) this.#ask("close", session, (sessions) => sessions.close(caller, session))
  }

  answerAll(): void {
    for (const [nth, session] of this.sessions.entries()) this.#answer(session, nth)
  }

  #create(): void {
    const request = { agent: "simulated", cwd: "/work", permissions: "ask" as const }
    const create = Effect.flatMap(Sessions, (sessions) => sessions.create(app, request))
    this.#request("create", this.#choose(null), create, (exit) => {
      if (Exit.isFailure(exit)) return this.#world.note(`create: ${reasonOf(exit)}`)
      this.know(exit.value.id)
    })
  }

  /** A session that was created, though its app may never have been told. */
  know(session: SessionId): void {
    if (this.sessions.includes(session)) return
    this.sessions.push(session)
    this.#world.created(session)
  }

  #submit(session: SessionId, b: number): void {
    const turn = { prompt: `prompt ${b}`, queue: b % 3 !== 0, ...(b % 7 === 0 ? { timeoutMillis: 20_000 } : {}) }
    this.#turn("submit", session, (sessions) => sessions.submit(caller, session, turn))
  }

  /** An app that does not know what became of its request sends it again, and one in eleven sends another under its key. */
  #submitKeyed(session: SessionId, b: number): void {
    const key = `key ${b % 3}`
    const fingerprint = b % 11 === 0 ? "another" : "its own"
    const turn = {
      prompt: `prompt of ${key}, ${fingerprint}`,
      queue: b % 2 === 0,
      submission: { id: key, fingerprint }
    }
    const submit = (sessions: Context.Service.Shape<typeof Sessions>) => sessions.submit(caller, session, turn)
    this.#turn(`submit ${key}`, session, submit, (index) => this.keyed.push({ session, key, turn: index }))
  }

  #turn<E>(
    what: string,
    session: SessionId,
    begin: (sessions: Context.Service.Shape<typeof Sessions>) => Effect.Effect<Turning, E>,
    onAccepted: (turn: number) => void = () => {}
  ): void {
    const of = this.#world.name(session)
    const runtime = this.#choose(session)
    this.#request(`${what} to ${of}`, runtime, Effect.flatMap(Sessions, begin), (exit) => {
      if (Exit.isFailure(exit)) return this.#world.note(`${what} to ${of}: ${reasonOf(exit)}`)
      const turning = exit.value
      this.#world.note(`${what} to ${of}: turn ${turning.index} is accepted`)
      this.accepted.push({ session, turn: turning.index })
      onAccepted(turning.index)
      this.#turnings.push({ turning, runtime })
      this.#request(`result of turn ${turning.index} of ${of}`, runtime, turning.result, (ended) => {
        if (Exit.isSuccess(ended)) this.results.push({ session, turn: turning.index, result: ended.value })
      })
    })
  }

  #answer(session: SessionId, b: number): void {
    const decision = b % 2 === 0 ? "once" : "deny"
    this.#ask("answer", session, (sessions) =>
      Effect.flatMap(sessions.approvals(caller, session), (open) => {
        const approval = open[b % Math.max(1, open.length)]
        return approval === undefined ? Effect.void : sessions.answer(caller, session, approval.id, decision)
      })
    )
  }

  #ask<A, E>(
    what: string,
    session: SessionId,
    request: (sessions: Context.Service.Shape<typeof Sessions>) => Effect.Effect<A, E>,
    runtime = this.#choose(session)
  ): void {
    const asked = `${what} to ${this.#world.name(session)}`
    this.#world.note(asked)
    this.#request(asked, runtime, Effect.flatMap(Sessions, request), (exit) => {
      if (Exit.isFailure(exit)) this.#world.note(`${asked}: ${reasonOf(exit)}`)
    })
  }

  #attach(session: SessionId): void {
    const reader: Reader = { session, last: 0, isDone: false, from: null, streams: 0 }
    this.readers.push(reader)
    this.follow(reader)
  }

  follow(reader: Reader): void {
    const { session } = reader
    if (reader.isDone || reader.from !== null) return
    const runtime = this.#choose(session)
    if (!runtime.isUp) return
    const world = this.#world
    reader.from = runtime
    const stream = ++reader.streams
    /** It went to another node in the middle of this one. */
    const isOver = () => reader.streams !== stream
    const read = Effect.gen(function* () {
      const events = yield* (yield* Sessions).events(caller, session, reader.last)
      yield* Stream.runForEach(Stream.takeUntil(events, isOver, { excludeLast: true }), ({ seq }) =>
        Effect.sync(() => {
          // More that came with the last of it.
          if (isOver()) return
          if (seq !== reader.last + 1) {
            world.violate("a reader misses and repeats no event", `event ${seq} came after ${reader.last}`)
          }
          reader.last = seq
        })
      )
    })
    runtime.run(read, (exit) => {
      if (isOver()) return
      reader.from = null
      reader.isDone = Exit.isSuccess(exit)
    })
  }
}

const reasonOf = (exit: Exit.Exit<unknown, unknown>): string => {
  const error = Exit.findErrorOption(exit)
  if (error._tag === "None") return "no answer"
  const { value } = error
  return typeof value === "object" && value !== null && "_tag" in value ? String(value._tag) : String(value)
}
