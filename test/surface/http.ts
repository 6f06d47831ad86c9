/** The surface over HTTP: a real port, and the typed client that apps get. */
import { Cause, Context, Effect, Layer, Redacted, Stream } from "effect"
import { FetchHttpClient, HttpServer } from "effect/http"
import { Apps } from "../../src/services/Apps.ts"
import * as Client from "../../src/http/Client.ts"
import { loopbackNames } from "../../src/http/originCheck.ts"
import * as Http from "../../src/http/Http.ts"
import { adminToken, startRuntime } from "./harness.ts"
import type { AppSurface, TroupeSettings, Message, Refusal, Surface } from "./Surface.ts"

/** The client's problems as the suite's refusals; any other failure is a broken test. */
const orRefusal = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, Refusal> =>
  effect.pipe(
    Effect.catchCause((cause) => {
      const error = Cause.squash(cause)
      return isProblem(error)
        ? Effect.fail({ code: error.error, status: error.status, detail: error.detail })
        : Effect.die(error)
    })
  )

const isProblem = (error: unknown): error is Client.Problem.Problem =>
  typeof error === "object" && error !== null && "detail" in error && "requestId" in error

const appSurface = (client: Client.Client): AppSurface => {
  const headers = {}
  return {
    create: (payload) => orRefusal(client.sessions.create({ headers, payload: defined(payload) })),
    get: (id) => orRefusal(client.sessions.get({ params: { id } })),
    list: ({ cursor, limit, state }) =>
      orRefusal(
        client.sessions.list({
          query: { limit, ...(cursor === null ? {} : { cursor }), ...(state === null ? {} : { state }) }
        })
      ),
    turn: (id, prompt, { idempotencyKey, ...options } = {}) =>
      orRefusal(
        client.turns.submit({
          params: { id },
          headers: idempotencyKey === undefined ? headers : { "idempotency-key": idempotencyKey },
          payload: { prompt, ...options }
        })
      ).pipe(
        Effect.flatMap((turn) => ("events" in turn ? Effect.succeed(turn) : Effect.die("accepted, and not waited for")))
      ),
    turns: (id) =>
      orRefusal(client.turns.list({ params: { id }, query: {} })).pipe(
        Effect.map(({ turns }) =>
          turns.flatMap((turn) =>
            turn.stopReason === null || turn.durationMs === null
              ? []
              : [{ ...turn, stopReason: turn.stopReason, durationMs: turn.durationMs }]
          )
        )
      ),
    interrupt: (id) =>
      Effect.map(orRefusal(client.sessions.interrupt({ params: { id } })), ({ interrupted }) => interrupted),
    steer: (id, text) => Effect.asVoid(orRefusal(client.sessions.steer({ params: { id }, payload: { text } }))),
    compact: (id) =>
      orRefusal(client.turns.compact({ params: { id } })).pipe(
        Effect.flatMap((turn) => ("events" in turn ? Effect.succeed(turn) : Effect.die("no result")))
      ),
    messages: Effect.fnUntraced(function* (id: string) {
      const all: Array<Message> = []
      let cursor: string | null = null
      do {
        const query: { readonly limit: number; readonly cursor?: string } =
          cursor === null ? { limit: 1 } : { limit: 1, cursor }
        const page: { readonly messages: ReadonlyArray<Message>; readonly nextCursor: string | null } =
          yield* orRefusal(client.turns.messages({ params: { id }, query }))
        all.push(...page.messages)
        cursor = page.nextCursor
      } while (cursor !== null)
      return all
    }),
    close: (id) =>
      Effect.map(orRefusal(client.sessions.close({ params: { id } })), ({ alreadyClosed = false }) => ({
        alreadyClosed
      })),
    events: (id, after) =>
      orRefusal(client.sessions.events({ params: { id }, query: { after: String(after) }, headers })).pipe(
        Effect.flatMap((events) => orRefusal(Stream.runCollect(events))),
        Effect.map((events) => events.map(({ event, id }) => [Number(id), event] as const))
      ),
    run: (prompt) =>
      Effect.map(orRefusal(client.run.run({ headers, payload: { prompt } })), (answer) =>
        answer.ok
          ? { ok: true, result: answer.result, durationMillis: answer.durationMs, stopReason: answer.stopReason }
          : {
              ok: false,
              error: answer.error,
              stderr: answer.stderr,
              durationMillis: answer.durationMs,
              stopReason: answer.stopReason
            }
      )
  }
}

/** Without the undefined fields, which the client does not accept. */
const defined = <A extends object>(request: A) =>
  Object.fromEntries(Object.entries(request).filter(([, value]) => value !== undefined)) as {
    [K in keyof A]: Exclude<A[K], undefined>
  }

/** The surface, with the address and the tokens for tests that read the bytes. */
export const openHttp = (settings?: TroupeSettings) =>
  Effect.gen(function* () {
    const runtime = yield* startRuntime(settings)
    const options = {
      host: "127.0.0.1",
      port: 0,
      allowedHosts: loopbackNames,
      allowedOrigins: [],
      maxBodyBytes: 1024 * 1024
    }
    const server = yield* Layer.build(Http.layer(options).pipe(Layer.provide(Layer.succeedContext(runtime)))).pipe(
      Effect.provideContext(runtime),
      Effect.orDie
    )
    const baseUrl = HttpServer.formatAddress(Context.get(server, HttpServer.HttpServer).address)
    const apps = Context.get(runtime, Apps)
    const token = (name: string) => Effect.map(Effect.orDie(apps.mint(name)), ({ token }) => Redacted.value(token))
    const tokens = { ours: yield* token("ours"), theirs: yield* token("theirs"), admin: adminToken }
    const client = (token: string) => Client.make({ baseUrl, token })
    const { admin } = yield* client(tokens.admin)
    const surface: Surface = {
      ours: appSurface(yield* client(tokens.ours)),
      theirs: appSurface(yield* client(tokens.theirs)),
      sweep: orRefusal(admin.sweep()),
      audit: (id) => Effect.map(orRefusal(admin.audit({ params: { id } })), ({ audit }) => audit)
    }
    return { surface, baseUrl, tokens, apps }
  }).pipe(Effect.provide(FetchHttpClient.layer))
