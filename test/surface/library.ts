/** The surface over the embedded library, as apps call it: plain promises. */
import { Effect } from "effect"
import { openTroupe, TroupeError } from "../../src/promise.ts"
import type { Session, Troupe, TurnOutcome } from "../../src/promise.ts"
import { sessionDto } from "../../src/http/dto.ts"
import { claude, dataDir } from "./harness.ts"
import type { AppSurface, Open, Refused, Surface, Turn } from "./Surface.ts"

/** What a promise rejects with, as the suite wants to see it; whatever is not a refusal is a broken test. */
const asked = <A>(ask: () => Promise<A>): Effect.Effect<A, Refused> =>
  Effect.tryPromise({ try: ask, catch: (error) => error }).pipe(
    Effect.catch((error) =>
      error instanceof TroupeError
        ? Effect.fail({ code: error.code, status: error.status, detail: error.message })
        : Effect.die(error)
    )
  )

const ended = (outcome: TurnOutcome): ReadonlyArray<Turn> =>
  outcome.stopReason === null || outcome.durationMs === null
    ? []
    : // The same messages, which HTTP's contract sees as JSON.
      [{ ...outcome, stopReason: outcome.stopReason, durationMs: outcome.durationMs } as Turn]

const app = (troupe: Troupe): AppSurface => {
  const within = <A>(id: string, ask: (session: Session) => Promise<A>) =>
    asked(async () => ask(await troupe.session(id)))
  return {
    create: (request) =>
      asked(async () => {
        const { agent, createdAt, meta, sessionId, state } = sessionDto(
          await (await troupe.createSession(request)).view()
        )
        return { agent, createdAt, meta, sessionId, state }
      }),
    get: (id) => within(id, async (session) => sessionDto(await session.view())),
    list: (query) =>
      asked(async () => {
        const { count, items, next } = await troupe.listSessions({
          limit: query.limit,
          cursor: query.cursor,
          ...(query.state === null ? {} : { state: query.state })
        })
        return { count, sessions: items.map(sessionDto), nextCursor: next }
      }),
    turn: (id, prompt, options) => within(id, async (session) => ended(await session.turn(prompt, options))[0]!),
    turns: (id) => within(id, async (session) => (await session.turns()).flatMap(ended)),
    interrupt: (id) => within(id, (session) => session.interrupt()),
    steer: (id, text) => within(id, (session) => session.steer(text)),
    compact: (id) => within(id, async (session) => ended(await session.compact())[0]!),
    messages: (id) => within(id, (session) => session.messages()),
    close: (id) => within(id, (session) => session.close()),
    events: (id, after) =>
      within(id, async (session) => {
        const all: Array<readonly [number, string]> = []
        for await (const { message, seq } of session.events({ after })) {
          const news = "method" in message && message.method.startsWith("_troupe/")
          all.push([seq, news ? message.method.slice("_troupe/".length) : "message"])
        }
        return all
      }),
    run: (prompt) => asked(() => troupe.run(prompt))
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
      ours: app(troupe.as("ours")),
      theirs: app(troupe.as("theirs")),
      sweep: asked(() => troupe.sweep()),
      audit: null
    }
    return surface
  })
