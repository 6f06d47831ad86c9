/** The surface over the embedded library, as apps call it: plain promises. */
import { Effect } from "effect"
import { openTroupe, TroupeError } from "../../src/promise.ts"
import type { Session, SessionInfo, Troupe, TurnOutcome } from "../../src/promise.ts"
import { claude, dataDir } from "./harness.ts"
import type { AppSurface, Open, Refusal, Surface, Turn } from "./Surface.ts"

/** The rejections of promises as the suite's refusals; any other rejection is a broken test. */
export const orRefusal = <A>(ask: () => Promise<A>): Effect.Effect<A, Refusal> =>
  Effect.tryPromise({ try: ask, catch: (error) => error }).pipe(
    Effect.catch((error) =>
      error instanceof TroupeError
        ? Effect.fail({ code: error.code, status: error.status, detail: error.message })
        : Effect.die(error)
    )
  )

const outcomeIfEnded = (outcome: TurnOutcome): ReadonlyArray<Turn> =>
  outcome.stopReason === null || outcome.durationMs === null
    ? []
    : // The same messages, which HTTP's contract types as JSON.
      [{ ...outcome, stopReason: outcome.stopReason, durationMs: outcome.durationMs } as Turn]

const bodyOf = ({ id: sessionId, ...rest }: SessionInfo) => ({ sessionId, ...rest })

export const appSurface = (troupe: Troupe): AppSurface => {
  const withSession = <A>(id: string, ask: (session: Session) => Promise<A>) =>
    orRefusal(async () => ask(await troupe.session(id)))
  return {
    create: (request) =>
      orRefusal(async () => {
        const { agent, createdAt, id, meta, state } = await (await troupe.createSession(request)).view()
        return { agent, createdAt, meta, sessionId: id, state }
      }),
    get: (id) => withSession(id, async (session) => bodyOf(await session.view())),
    list: (query) =>
      orRefusal(async () => {
        const { count, items, next } = await troupe.listSessions({
          limit: query.limit,
          cursor: query.cursor,
          ...(query.state === null ? {} : { state: query.state })
        })
        return { count, sessions: items.map(bodyOf), nextCursor: next }
      }),
    turn: (id, prompt, options) =>
      withSession(id, async (session) => outcomeIfEnded(await session.turn(prompt, options))[0]!),
    turns: (id) => withSession(id, async (session) => (await session.turns()).flatMap(outcomeIfEnded)),
    interrupt: (id) => withSession(id, (session) => session.interrupt()),
    steer: (id, text) => withSession(id, (session) => session.steer(text)),
    compact: (id) => withSession(id, async (session) => outcomeIfEnded(await session.compact())[0]!),
    messages: (id) => withSession(id, (session) => session.messages()),
    close: (id) => withSession(id, (session) => session.close()),
    events: (id, after) =>
      withSession(id, async (session) => {
        const all: Array<readonly [number, string]> = []
        for await (const { message, seq } of session.events({ after })) {
          const ours = message.method?.startsWith("_troupe/") === true
          all.push([seq, ours ? message.method.slice("_troupe/".length) : "message"])
        }
        return all
      }),
    run: (prompt) => orRefusal(() => troupe.run(prompt))
  }
}

export const openLibrary: Open = (settings = {}) =>
  Effect.gen(function* () {
    const directory = yield* dataDir
    const troupe = yield* Effect.acquireRelease(
      Effect.promise(() =>
        openTroupe({
          dataDir: directory,
          defaultAgent: "demo",
          limits: settings.limits ?? {},
          run: settings.run ?? claude("say hello"),
          drainMillis: 100
        })
      ),
      (troupe) => Effect.promise(() => troupe.close())
    )
    const surface: Surface = {
      ours: appSurface(troupe.as("ours")),
      theirs: appSurface(troupe.as("theirs")),
      sweep: orRefusal(() => troupe.sweep()),
      audit: null
    }
    return surface
  })
