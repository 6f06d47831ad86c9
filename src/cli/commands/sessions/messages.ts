/** `troupe sessions messages`: the conversation so far; with `--json` a line of JSON for each message. */
import { Effect, Option, Stream } from "effect"
import { Command } from "effect/cli"
import type { Message } from "../../../domain/Turn.ts"
import { jsonFlag } from "../../options.ts"
import { serverFlags, withClient } from "../../server.ts"
import { harmless, oneLine, paint, print, printLine } from "../../terminal.ts"
import { sessionId } from "./sessionId.ts"

/** Turns in one request; a page of many messages has fewer. */
const turnsAtOnce = 50

export const messages = Command.make(
  "messages",
  { id: sessionId, json: jsonFlag, ...serverFlags },
  Effect.fn(function* ({ id, json, ...server }) {
    yield* withClient(server, (client) =>
      Stream.paginate("", (cursor) =>
        client.turns
          .messages({ params: { id }, query: { limit: turnsAtOnce, ...(cursor === "" ? {} : { cursor }) } })
          .pipe(Effect.map((page) => [page.messages, Option.fromNullOr(page.nextCursor)] as const))
      ).pipe(Stream.runForEach((message) => (json ? printLine(message) : print(textOf(message)))))
    )
  })
).pipe(Command.withDescription("Print the conversation so far, oldest first, in OpenAI's shape with --json"))

const roles: Readonly<Record<Message["role"], string>> = {
  user: "›",
  assistant: "‹",
  tool: "◆",
  system: "·"
}

const textOf = ({ content, role, tool_calls }: Message): string => {
  const calls = (tool_calls ?? []).map(({ function: { arguments: given, name } }) =>
    paint("cyan", `◆ ${oneLine(name)} ${oneLine(given)}`)
  )
  const text = content === null || content === "" ? [] : [`${paint("bold", roles[role])} ${harmless(content)}`]
  return [...text, ...calls].join("\n")
}
