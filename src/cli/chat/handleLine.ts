/** What a line of the person does: it submits a turn, or is a command that begins with a slash. */
import { Clock, Effect, Schema } from "effect"
import { PermissionPolicy } from "../../domain/Permissions.ts"
import { harmless, paint } from "../terminal.ts"
import type { CommandFailed } from "../failures.ts"
import type { ChatEvent, Line, RunningTurn } from "./ChatEvent.ts"
import type { ChatParts } from "./ChatParts.ts"
import type { Conversation } from "./Conversation.ts"
import * as Words from "./words.ts"

const isPolicy = Schema.is(PermissionPolicy)

export type LineHandler = ReturnType<typeof makeLineHandler>

export const makeLineHandler = (parts: ChatParts) => {
  const { console, conversation, leaveOpen, moveTo, staysOpen, output, perform, state } = parts

  const submit = (prompt: string) => {
    const turn: RunningTurn = { announced: false, accepted: false, steerable: false, interrupted: false }
    state.running = turn
    const files = state.attached
    state.attached = []
    return perform(Effect.as(conversation().submit(prompt, files), { _tag: "Accepted", turn } as const), turn)
  }

  const compact = Effect.suspend(() => {
    const turn: RunningTurn = { announced: false, accepted: true, steerable: false, interrupted: false }
    state.running = turn
    const noticeOf = (done: boolean): ChatEvent => ({ _tag: "Notice", text: done ? null : Words.notCompacted })
    return perform(Effect.map(conversation().compact, noticeOf), turn)
  })

  const permissions = (word: string) =>
    Effect.gen(function* () {
      if (word !== "") {
        if (!isPolicy(word))
          return output.complain(`There is no permission ${harmless(word)}. /permissions lists them.`)
        yield* conversation().change({ permissions: word })
      }
      output.print(Words.permissionsText((yield* conversation().summary).permissions))
    }).pipe(Effect.catch(({ message }) => Effect.sync(() => output.complain(message))))

  /** `-`: the agent's own. */
  const choose = (setting: Words.Setting, value: string) =>
    Effect.gen(function* () {
      if (value !== "") yield* conversation().change({ [setting]: value === "-" ? null : value })
      output.print(Words.choicesText(setting, yield* conversation().summary))
    }).pipe(Effect.catch(({ message }) => Effect.sync(() => output.complain(message))))

  const attach = (path: string) =>
    Effect.match(conversation().attach(path), {
      onSuccess: (id) => {
        state.attached = [...state.attached, id]
        output.print(Words.quiet(`${harmless(path)} goes with the next turn.`))
      },
      onFailure: ({ message }) => {
        state.failed = true
        output.complain(message)
      }
    })

  const move = (next: Effect.Effect<Conversation, CommandFailed>, what: string) =>
    Effect.suspend(() => {
      const wasThere = staysOpen()
      return Effect.as(moveTo(next), wasThere)
    }).pipe(
      Effect.match({
        onSuccess: (wasThere) => {
          state.context = null
          console.json?.opened(conversation())
          output.note(
            `The chat goes on ${what}, as session ${conversation().id}. ${wasThere ? "The session before it stays open." : "The session before it is closed."}`
          )
        },
        onFailure: ({ message }) => {
          state.failed = true
          output.complain(message)
        }
      })
    )

  const fork = (turn: string) => {
    const index = turn === "" ? undefined : Number(turn)
    if (index !== undefined && !(Number.isSafeInteger(index) && index > 0)) {
      return Effect.sync(() => output.complain("/fork takes the number of a turn, or nothing: then all is copied."))
    }
    return move(conversation().fork(index), index === undefined ? "in a copy" : `in a copy up to turn ${index}`)
  }

  const threads = Effect.fnUntraced(
    function* (cwd: string) {
      const page = yield* conversation().threads(cwd === "" ? undefined : cwd)
      output.print(Words.threadsText(page, yield* Clock.currentTimeMillis))
    },
    Effect.catch(({ message }) => Effect.sync(() => output.complain(message)))
  )

  const command = Effect.fnUntraced(function* (word: string, rest: string) {
    switch (word) {
      case "/help":
        return output.print(Words.help)
      case "/quit":
        state.exitCode = 0
        return
      case "/close":
        leaveOpen(false)
        state.exitCode = 0
        return
      case "/detach":
        if (state.running !== null && !conversation().outlives) return output.complain(Words.endsWithUs)
        leaveOpen(true)
        state.exitCode = 0
        return
      case "/usage":
        return yield* Effect.match(conversation().summary, {
          onSuccess: (summary) => output.print(Words.usageText(summary, state.context)),
          onFailure: ({ message }) => output.complain(message)
        })
      case "/permissions":
        return yield* permissions(rest)
      case "/model":
      case "/mode":
      case "/effort":
        return yield* choose(word.slice(1) as Words.Setting, rest)
      case "/attach":
        return rest === "" ? output.complain("/attach takes the path of a file.") : yield* attach(rest)
      case "/fork":
        return yield* fork(rest)
      case "/thread":
        return rest === ""
          ? output.complain("/thread takes the id of a conversation. /threads lists them.")
          : yield* move(conversation().goOnWith(rest), `with ${harmless(rest)}`)
      case "/threads":
        return yield* threads(rest)
      case "/compact":
        yield* compact
        return
      case "/steer":
        if (rest !== "" && state.running !== null) {
          yield* perform(conversation().steer(rest))
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
      (console.interactive && /^\/(help|usage|permissions|model|mode|effort|attach|quit|close|detach)\b/.test(text)),

    process: Effect.fnUntraced(function* ({ echoed, text }: Line) {
      if (!echoed && text.trim() !== "" && console.json === undefined)
        output.print(`${paint("bold", "›")} ${harmless(text)}`)
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
