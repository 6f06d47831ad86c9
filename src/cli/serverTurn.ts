/** A turn on a server, for `troupe sessions turn` and `troupe ask --url`: its result is printed, or what happens as it comes. */
import { Effect, Schema, Stream } from "effect"
import { FetchHttpClient } from "effect/http"
import { streamTurn } from "../http/Client.ts"
import { TurnResult } from "../http/contract/bodies.ts"
import { AcceptedTurn } from "../http/contract/turns.ts"
import type { SubmitTurn, TurnEvent } from "../http/contract/turns.ts"
import { CommandFailed } from "./failures.ts"
import { makeNarrator } from "./narration.ts"
import { explained, withClientOf } from "./server.ts"
import type { Server } from "./server.ts"
import { print, printJson, printLine, write } from "./terminal.ts"
import { endTurn } from "./turnEnding.ts"

export interface TurnOutput {
  readonly json: boolean
  readonly stream: boolean
}

export const turnOn = Effect.fnUntraced(function* (
  server: Server,
  id: string,
  request: typeof SubmitTurn.Type,
  { json, stream }: TurnOutput
) {
  if (stream && request.wait !== false) return yield* streamed(server, id, request, json)
  const answer = yield* withClientOf(server, (client) =>
    client.turns.submit({ params: { id }, headers: {}, payload: request })
  )
  if ("finalText" in answer) return yield* endTurn(answer, yield* encodeResult(answer), { json })
  yield* json ? printJson(yield* encodeAccepted(answer)) : print(String(answer.turnIndex))
})

const streamed = Effect.fnUntraced(function* (
  server: Server,
  id: string,
  request: typeof SubmitTurn.Type,
  json: boolean
) {
  const narrator = makeNarrator()
  let outcome: typeof TurnResult.Type | undefined
  yield* streamTurn({ baseUrl: server.url, token: server.token }, id, request).pipe(
    Stream.runForEach((event) => {
      if (isOutcome(event)) return Effect.sync(() => void (outcome = event.data))
      if (isProblem(event))
        return Effect.fail(new CommandFailed({ code: event.data.error, problem: event.data.detail }))
      const { data, id: seq } = event as MessageEvent
      return json ? printLine({ seq: Number(seq), ...data }) : write(narrator.narrate(data))
    }),
    Effect.mapError(explained(server.url)),
    Effect.provide(FetchHttpClient.layer)
  )
  yield* write(narrator.end())
  if (outcome === undefined) {
    const problem = `The server ended the stream before the turn's end: troupe sessions messages ${id} shows what came of it.`
    return yield* new CommandFailed({ code: "stream_broken", problem })
  }
  if (json) yield* printLine({ outcome: yield* encodeResult(outcome) })
  yield* endTurn(outcome, null, { json: false, isPrinted: true })
})

type Event = typeof TurnEvent.Type
type OutcomeEvent = Extract<Event, { readonly event: "result" }>
type ProblemEvent = Extract<Event, { readonly event: "error" }>
type MessageEvent = Exclude<Event, OutcomeEvent | ProblemEvent>

const isOutcome = (event: Event): event is OutcomeEvent => event.event === "result"
const isProblem = (event: Event): event is ProblemEvent => event.event === "error"

const encodeResult = Schema.encodeEffect(Schema.toCodecJson(TurnResult))
const encodeAccepted = Schema.encodeEffect(Schema.toCodecJson(AcceptedTurn))
