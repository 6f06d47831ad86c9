/** `troupe sessions turn`: one turn in a session that there is. Its exit codes are those of `troupe ask`. */
import { Effect, Option, Schema, Stream } from "effect"
import { Command, Flag } from "effect/cli"
import { FetchHttpClient } from "effect/http"
import { streamTurn } from "../../../http/Client.ts"
import { AcceptedTurn } from "../../../http/contract/turns.ts"
import type { SubmitTurn, TurnEvent } from "../../../http/contract/turns.ts"
import { TurnResult } from "../../../http/contract/bodies.ts"
import { CommandFailed } from "../../failures.ts"
import { makeNarrator } from "../../narration.ts"
import { jsonFlag } from "../../options.ts"
import { explained, findServer, serverFlags, withClientOf } from "../../server.ts"
import type { Server } from "../../server.ts"
import { given, promptArgument, promptOf, timeoutFlag, turnFlags } from "../../sessionFlags.ts"
import { print, printJson, printLine, write } from "../../terminal.ts"
import { endTurn } from "../../turnEnding.ts"
import { sessionId } from "./sessionId.ts"

const flag = (name: string, description: string) =>
  Flag.Boolean(name).pipe(Flag.withDescription(description), Flag.withDefault(false), Flag.withoutNegation)

export const turn = Command.make(
  "turn",
  {
    id: sessionId,
    prompt: promptArgument,
    ...turnFlags,
    timeoutS: timeoutFlag,
    queue: flag("queue", "Wait in line behind a turn that runs, instead of being refused"),
    noWait: flag("no-wait", "Return when the turn is accepted, and print its number"),
    stream: flag(
      "stream",
      "Print what happens as it comes; with --json a line for each event, and one for the outcome"
    ),
    json: jsonFlag,
    ...serverFlags
  },
  Effect.fn(function* ({ effort, id, json, mode, model, noWait, prompt, queue, stream, timeoutS, ...flags }) {
    const request: typeof SubmitTurn.Type = {
      prompt: yield* promptOf(prompt),
      ...given({ effort, mode, model }),
      ...Option.match(timeoutS, { onNone: () => ({}), onSome: (timeoutS) => ({ timeoutS }) }),
      ...(queue ? { queue } : {})
    }
    const server = yield* findServer(flags)
    if (stream && !noWait) return yield* streamed(server, id, request, json)
    const answer = yield* withClientOf(server, (client) =>
      client.turns.submit({ params: { id }, headers: {}, payload: { ...request, wait: !noWait } })
    )
    if ("finalText" in answer) return yield* endTurn(answer, yield* encodeResult(answer), { json })
    yield* json ? printJson(yield* encodeAccepted(answer)) : print(String(answer.turnIndex))
  })
).pipe(
  Command.withDescription(
    "Have a turn in a session, and print its final text. Exits with 1 where it failed, 3 where it was interrupted, 124 where its deadline was over"
  ),
  Command.withExamples([{ command: 'troupe sessions turn "$ID" "Fix the failing test." --stream' }])
)

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
