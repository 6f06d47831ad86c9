/**
 * The line between services and actors as if another machine were behind it: each request, answer and error is JSON text on
 * its way. What does not survive that fails the test in which it is sent.
 */
import { Effect, Layer, Schema } from "effect"
import { LocalSessions } from "../../src/cluster/LocalSessions.ts"
import { SessionHost } from "../../src/supervision/SessionHost.ts"
import { sessionMessages } from "../../src/supervision/sessionMessages.ts"
import type { SessionMessages } from "../../src/supervision/sessionMessages.ts"

type Host = SessionHost["Service"]
type Handler = (request: unknown) => Effect.Effect<unknown, unknown>

/** There and back as text. */
const sent = (schema: Schema.Codec<unknown, unknown>) => {
  const codec = Schema.fromJsonString(Schema.toCodecJson(schema))
  const encode = Schema.encodeEffect(codec)
  const decode = Schema.decodeEffect(codec)
  return (value: unknown) => Effect.orDie(Effect.flatMap(encode(value), decode))
}

const overWire = (name: keyof SessionMessages, handler: Handler): Handler => {
  const message = sessionMessages[name]
  const [request, answer, error] = [sent(message.request), sent(message.answer), sent(message.error)]
  return (asked) =>
    request(asked).pipe(
      Effect.flatMap(handler),
      Effect.flatMap(answer),
      Effect.catch((failure) => Effect.flatMap(error(failure), Effect.fail))
    )
}

const namesOf = Object.keys(sessionMessages) as ReadonlyArray<keyof SessionMessages>

export const overJson = (host: Host): Host =>
  Object.fromEntries(namesOf.map((name) => [name, overWire(name, host[name] as Handler)])) as unknown as Host

export const layer = Layer.effect(SessionHost, Effect.map(LocalSessions, overJson))
