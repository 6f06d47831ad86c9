/**
 * Replaces a codex whose login another codex process has renewed, before anybody is asked to log in again.
 *
 * All app-servers of an account share one auth.json, and a refresh token can be used once. The process that comes second
 * is refused for good, although the login is fine: a fresh process reads the renewed one. The turn that failed is handed
 * to it where codex did no work in it. A fresh process that is refused, too, means that the login is not fine.
 */
import { Deferred, Effect, Exit, Random, Scope } from "effect"
import { updateMessage } from "../../domain/Acp.ts"
import type { AgentConnection, AgentFact, AgentFailed, OpenRequest } from "../Agent.ts"
import { isStaleLogin } from "./failures.ts"
import * as Texts from "./texts.ts"

type Open = (request: OpenRequest) => Effect.Effect<AgentConnection, AgentFailed, Scope.Scope>
type TurnEnded = Extract<AgentFact, { readonly _tag: "TurnEnded" }>

interface Handed {
  readonly turn: number
  readonly to: (connection: AgentConnection) => Effect.Effect<void, AgentFailed>
  /** Codex has answered or called a tool, so the prompt must not be handed over again. */
  hasWork: boolean
}

interface Replacing {
  readonly done: Deferred.Deferred<void>
  interrupted: boolean
}

/** What reports on the connection, and is no work on a turn. */
const reports: ReadonlySet<string> = new Set(["session_info_update", "usage_update"])

/** Within an interrupt's 5 s. */
const interruptWithinMillis = 4_500

/** `pauseMillis`: the fresh process is started after a random part of it, so that sessions do not race again. */
export const withFreshLogin = (openProcess: Open, pauseMillis: number) =>
  Effect.fnUntraced(function* (request: OpenRequest) {
    const scope = yield* Effect.scope
    let handed: Handed | null = null
    let replacing: Replacing | null = null
    /** The login was refused, and no turn has ended since. */
    let isRefused = false

    /** Only the first process can be one that has waited. */
    const { spare, ...own } = request
    const openWithin = Effect.fnUntraced(function* (asked: Omit<OpenRequest, "emit">) {
      const processScope = yield* Scope.fork(scope)
      const state = { isReplaced: false }
      const emit: OpenRequest["emit"] = (fact) => (state.isReplaced ? Effect.void : received(fact))
      const connection = yield* openProcess({ ...asked, emit }).pipe(Scope.provide(processScope))
      return { connection, processScope, state }
    })

    const received = (fact: AgentFact): Effect.Effect<void> => {
      if (
        fact._tag === "Update" &&
        fact.turn === handed?.turn &&
        !reports.has(fact.message.params.update.sessionUpdate)
      ) {
        handed.hasWork = true
      }
      if (fact._tag !== "TurnEnded") return request.emit(fact)
      const wasRefused = isRefused
      isRefused = isStaleLogin(fact.failure)
      if (!isRefused || wasRefused || handed === null || handed.hasWork || handed.turn !== fact.turn) {
        return request.emit(fact)
      }
      const replaced: Replacing = { done: Deferred.makeUnsafe(), interrupted: false }
      replacing = replaced
      // Not here: this is the reader of the process that is ended.
      return Effect.asVoid(Effect.forkIn(replace(fact, handed, replaced), scope))
    }

    const replace = (end: TurnEnded, again: Handed, replaced: Replacing) =>
      Effect.gen(function* () {
        const message = updateMessage(live.connection.thread, Texts.info({ "troupe/retry": retry(end) }))
        yield* request.emit({ _tag: "Update", turn: end.turn, message })
        live.state.isReplaced = true
        yield* Scope.close(live.processScope, Exit.void)
        yield* Effect.sleep(pauseMillis * (yield* Random.next))
        const opened = yield* Effect.result(openWithin({ ...own, thread: live.connection.thread }))
        // Without its thread it is no replacement, and the machine knows what to do about that.
        if (opened._tag === "Failure" || opened.success.connection.contextLost !== null) {
          yield* request.emit(end)
          return yield* request.emit({ _tag: "Exited", code: null, signal: null, stderr: "" })
        }
        live = opened.success
        if (replaced.interrupted) return yield* request.emit({ ...end, stopReason: "cancelled", failure: null })
        replacing = null
        yield* again
          .to(live.connection)
          .pipe(
            Effect.catch(({ class: kind, message }) =>
              request.emit({ ...end, stopReason: "error", failure: { class: kind, message } })
            )
          )
      }).pipe(
        Effect.ensuring(
          Effect.sync(() => {
            replacing = null
            Deferred.doneUnsafe(replaced.done, Exit.void)
          })
        )
      )

    const first = yield* openWithin(spare === undefined ? own : { ...own, spare })
    let live = first

    const hand = (turn: number, to: Handed["to"]) =>
      Effect.suspend(() => {
        handed = { turn, to, hasWork: false }
        return to(live.connection)
      })

    const interrupt = Effect.suspend(() => {
      if (replacing === null) return live.connection.interrupt
      replacing.interrupted = true
      return Effect.asVoid(Effect.timeoutOption(Deferred.await(replacing.done), interruptWithinMillis))
    })

    const { compact, steer } = first.connection
    return {
      ...first.connection,
      choices: () => live.connection.choices(),
      prompt: (turn, text) => hand(turn, (connection) => connection.prompt(turn, text)),
      ...(compact === undefined
        ? {}
        : { compact: (turn: number) => hand(turn, (connection) => connection.compact?.(turn) ?? Effect.void) }),
      ...(steer === undefined
        ? {}
        : {
            steer: (text: string) =>
              Effect.suspend(() =>
                replacing === null && live.connection.steer !== undefined
                  ? live.connection.steer(text)
                  : Effect.succeed("no_turn" as const)
              )
          }),
      interrupt,
      askToExit: Effect.suspend(() =>
        replacing === null
          ? live.connection.askToExit
          : interrupt.pipe(
              Effect.andThen(Effect.suspend(() => live.connection.askToExit)),
              Effect.forkIn(scope),
              Effect.asVoid
            )
      )
    } satisfies AgentConnection
  })

const retry = ({ failure }: TurnEnded) => ({
  message: "Another process has renewed codex's login. A fresh codex, which reads it, takes the turn.",
  details: Texts.excerpt(failure?.message)
})
