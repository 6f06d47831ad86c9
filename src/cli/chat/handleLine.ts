/** What a line of the person does: it submits a turn, or is a command that begins with a slash. */
import { Effect, Schema } from "effect"
import { PermissionPolicy } from "../../domain/Permissions.ts"
import { harmless, paint } from "../terminal.ts"
import type { ChatEvent, Line, RunningTurn } from "./ChatEvent.ts"
import type { ChatParts } from "./ChatParts.ts"
import * as Words from "./words.ts"

const isPolicy = Schema.is(PermissionPolicy)

export type LineHandler = ReturnType<typeof makeLineHandler>

export const makeLineHandler = ({ console, conversation, output, perform, state }: ChatParts) => {
  const submit = (prompt: string) => {
    const turn: RunningTurn = { accepted: false, steerable: false, interrupted: false }
    state.running = turn
    return perform(Effect.as(conversation.submit(prompt), { _tag: "Accepted", turn } as const), turn)
  }

  const compact = Effect.suspend(() => {
    const turn: RunningTurn = { accepted: true, steerable: false, interrupted: false }
    state.running = turn
    const noticeOf = (done: boolean): ChatEvent => ({ _tag: "Notice", text: done ? null : Words.notCompacted })
    return perform(Effect.map(conversation.compact, noticeOf), turn)
  })

  const permissions = (word: string) =>
    Effect.gen(function* () {
      if (word !== "") {
        if (!isPolicy(word))
          return output.complain(`There is no permission ${harmless(word)}. /permissions lists them.`)
        yield* conversation.permit(word)
      }
      output.print(Words.permissionsText((yield* conversation.summary).permissions))
    }).pipe(Effect.catch(({ message }) => Effect.sync(() => output.complain(message))))

  const command = Effect.fnUntraced(function* (word: string, rest: string) {
    switch (word) {
      case "/help":
        return output.print(Words.help)
      case "/quit":
        state.exitCode = 0
        return
      case "/usage":
        return yield* Effect.match(conversation.summary, {
          onSuccess: (summary) => output.print(Words.usageText(summary, state.context)),
          onFailure: ({ message }) => output.complain(message)
        })
      case "/permissions":
        return yield* permissions(rest)
      case "/compact":
        yield* compact
        return
      case "/steer":
        if (rest !== "" && state.running !== null) {
          yield* perform(conversation.steer(rest))
          return
        }
        return output.complain(rest === "" ? "/steer takes the words to add." : "No turn runs that could be steered.")
      default:
        return output.complain(
          `There is no command ${word}. /help lists them; a blank before it sends the line as it is.`
        )
    }
  })

  return {
    /** A script's lines are processed in order, except words for the running turn. */
    canProcess: ({ text }: Line): boolean =>
      state.running === null ||
      (text.startsWith("/steer") && state.running.steerable) ||
      (console.interactive && /^\/(help|usage|permissions|quit)\b/.test(text)),

    process: Effect.fnUntraced(function* ({ echoed, text }: Line) {
      if (!echoed && text.trim() !== "") output.print(`${paint("bold", "›")} ${harmless(text)}`)
      if (text.endsWith("\\")) {
        state.begun += `${text.slice(0, -1)}\n`
        return
      }
      const whole = state.begun + text
      state.begun = ""
      const [, word, rest = ""] = /^(\/\S*)\s*([^]*)$/.exec(whole.trimEnd()) ?? []
      if (word !== undefined) return yield* command(word, rest)
      if (whole.trim() !== "") yield* submit(whole)
    })
  }
}
