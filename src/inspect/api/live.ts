/**
 * `GET live?on=…&on=…`: several streams of the dashboard over one connection, of which a browser has six to a server.
 *
 * The server keeps nothing of a reader between two connections: one that wants something else connects again, with the
 * position that it has in each. So it does not matter which node answers.
 */
import { Cause, Effect, Stream } from "effect"
import { InvalidRequest } from "../../domain/Refusal.ts"
import type { ProblemDetails } from "../../http/contract/Problem.ts"
import { problemTextOf } from "../../http/problemOfCause.ts"
import { RequestId } from "../../http/RequestId.ts"
import { lastText } from "../../http/Streams.ts"
import { Inspection } from "../../services/Inspection.ts"
import { mostTopics } from "../client/topics.ts"
import { Hub } from "../Hub.ts"
import { get, routes } from "./route.ts"
import type { RouteContext } from "./route.ts"
import { positionIn, textOf } from "./sessionStream.ts"

/** Pages of each that wait for the connection: what is not read yet is in the ledger, or in the ring. */
const buffered = 2

type Texts = Stream.Stream<string, ProblemDetails>

export const layer = routes(
  Effect.gen(function* () {
    const hub = yield* Hub
    const inspection = yield* Inspection

    const textsOf = Effect.fnUntraced(function* ({ caller }: RouteContext, { after, name }: Topic) {
      if (name === "steps") return hub.follow(caller, after) satisfies Texts
      const position = yield* positionIn(after, "on")
      // What can't be followed says so in its own place: the others have nothing to do with it.
      const requestId = yield* RequestId
      return yield* inspection.follow(caller, name, position).pipe(
        Effect.map((updates): Texts => Stream.map(updates, textOf)),
        Effect.catchTag("SessionNotFound", (refusal) =>
          Effect.map(problemTextOf(Cause.fail(refusal), requestId), (json): Texts =>
            Stream.concat(Stream.succeed(lastText("gone", json)), Stream.never)
          )
        )
      )
    })

    return [
      get(
        "/live",
        Effect.fnUntraced(function* (context) {
          const topics = yield* topicsOf(context)
          const all = yield* Effect.forEach(topics, (topic) => textsOf(context, topic))
          return yield* context.follow(merged(all), { isCompressed: true })
        }),
        { query: ["on"], lists: ["on"] }
      )
    ]
  })
)

interface Topic {
  /** `steps`, or a session's id. */
  readonly name: string
  /** The id after which to begin; `null`: none. */
  readonly after: string | null
}

const topicsOf = ({ query }: RouteContext): Effect.Effect<ReadonlyArray<Topic>, InvalidRequest> => {
  const given = query.getAll("on")
  return given.length < 1 || given.length > mostTopics
    ? Effect.fail(new InvalidRequest({ field: "on", problem: `must be given once to ${mostTopics} times.` }))
    : Effect.succeed(
        given.map((text) => {
          const [name = "", after = ""] = text.split("~")
          return { name, after: after === "" ? null : after }
        })
      )
}

/** Each as it comes. Before texts of another one than the last a message says whose they are, by its place in the address. */
const merged = (all: ReadonlyArray<Texts>): Texts =>
  Stream.suspend(() => {
    let last = -1
    const named = all.map((texts, n) => Stream.map(texts, (text) => ({ n, text })))
    return Stream.map(Stream.mergeAll(named, { concurrency: "unbounded", bufferSize: buffered }), ({ n, text }) => {
      if (n === last) return text
      last = n
      return `id:\nevent: on\ndata: ${n}\n\n${text}`
    })
  })
