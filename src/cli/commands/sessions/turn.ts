/** `troupe sessions turn`: one turn in a session that there is. Its exit codes are those of `troupe ask`. */
import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import type { SubmitTurn } from "../../../http/contract/turns.ts"
import { jsonFlag } from "../../options.ts"
import { findServer, serverFlags } from "../../server.ts"
import { turnOn } from "../../serverTurn.ts"
import { given, promptArgument, promptOf, streamFlag, timeoutFlag, turnFlags } from "../../sessionFlags.ts"
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
    stream: streamFlag,
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
    yield* turnOn(server, id, { ...request, wait: !noWait }, { json, stream })
  })
).pipe(
  Command.withDescription(
    "Have a turn in a session, and print its final text. Exits with 1 where it failed, 3 where it was interrupted, 124 where its deadline was over"
  ),
  Command.withExamples([{ command: 'troupe sessions turn "$ID" "Fix the failing test." --stream' }])
)
