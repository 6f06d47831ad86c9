/**
 * A chat with a session: one loop that takes what the person does and what the session tells, one after the other.
 *
 * A line is a turn. Lines that come while a turn runs wait for its end; what the agent asks leave for is answered before
 * anything else. The chat ends with Ctrl-D, a second Ctrl-C, a signal, or the session.
 */
import { Effect, Queue, Semaphore, Stream } from "effect"
import { constants } from "node:os"
import { at, record, whole } from "../../conversation/Json.ts"
import type { SessionUpdate } from "../../domain/Acp.ts"
import { CommandFailed } from "../failures.ts"
import { makeNarrator } from "../narration.ts"
import type { Told } from "../narration.ts"
import { Signals } from "../Signals.ts"
import { harmless, oneLine, paint } from "../terminal.ts"
import type { Console, Hear } from "./Console.ts"
import type { Conversation } from "./Conversation.ts"
import type { Happening, Line, Running } from "./ChatEvent.ts"
import * as Questions from "./ApprovalPrompts.ts"
import * as Words from "./words.ts"

/** Events that may be ahead of the loop; past that their stream waits. */
const eventsAhead = 256

/** The exit code that it ends with. */
export const talk = Effect.fnUntraced(function* (conversation: Conversation, makeConsole: (hear: Hear) => Console) {
  const signals = yield* Signals
  const scope = yield* Effect.scope
  // Whoever writes to it has a bound of their own: permits, a console's, or a person's patience.
  const inbox = yield* Queue.unbounded<Happening>()
  const hear = (happening: Happening) => void Queue.offerUnsafe(inbox, happening)
  const ahead = yield* Semaphore.make(eventsAhead)
  const console = yield* Effect.acquireRelease(
    Effect.sync(() => makeConsole(hear)),
    ({ close }) => Effect.sync(close)
  )
  const narrator = makeNarrator()
  const questions = Questions.make(conversation, console, narrator)

  let running: Running | null = null
  /** Lines that wait, and the beginning of one that goes on in the next. */
  let lines: ReadonlyArray<Line> = []
  let begun = ""
  let context: Words.Context | null = null
  let inputEnded = false
  let failed = false
  let exitCode = null as number | null
  const goesOn = () => exitCode === null

  const say = (text: string | null) => {
    if (text !== null) console.write(narrator.line(text))
  }
  const note = (text: string | null) => say(text === null ? null : Words.quiet(text))
  const complain = (text: string, after = "") => say(paint("red", `✗ ${oneLine(text)}`) + after)

  /** Beside the loop, which is told what comes of it. */
  const meanwhile = (effect: Effect.Effect<Happening | void, CommandFailed>, turn: Running | null = null) =>
    effect.pipe(
      Effect.catch((error) => Effect.succeed<Happening>({ _tag: "Refused", turn, error })),
      Effect.map((happening) => (happening === undefined ? undefined : hear(happening))),
      Effect.forkIn(scope)
    )

  const submit = (prompt: string) => {
    const turn: Running = { accepted: false, steerable: false, interrupted: false }
    running = turn
    return meanwhile(Effect.as(conversation.submit(prompt), { _tag: "Accepted", turn } as const), turn)
  }
  const compact = Effect.suspend(() => {
    running = { accepted: true, steerable: false, interrupted: false }
    const said = (done: boolean): Happening => ({ _tag: "Says", text: done ? null : Words.notCompacted })
    return meanwhile(Effect.map(conversation.compact, said), running)
  })
  const interrupt = (turn: Running) => {
    note("^C The turn is being interrupted. Another Ctrl-C ends the chat.")
    turn.interrupted = true
    // One that is not accepted yet is interrupted when it is.
    return turn.accepted ? meanwhile(conversation.interrupt) : Effect.void
  }

  // ---- what the person writes

  const command = Effect.fnUntraced(function* (word: string, rest: string) {
    switch (word) {
      case "/help":
        return say(Words.help)
      case "/quit":
        exitCode = 0
        return
      case "/usage":
        return yield* Effect.match(conversation.summary, {
          onSuccess: (summary) => say(Words.usageText(summary, context)),
          onFailure: ({ message }) => complain(message)
        })
      case "/compact":
        return yield* compact
      case "/steer":
        if (rest !== "" && running !== null) return yield* meanwhile(conversation.steer(rest))
        return complain(rest === "" ? "/steer takes the words to add." : "No turn runs that could be steered.")
      default:
        return complain(`There is no command ${word}. /help lists them; a blank before it sends the line as it is.`)
    }
  })

  /** A script is carried out in order, but for words to a turn that runs. */
  const isForNow = ({ text }: Line) =>
    running === null ||
    (text.startsWith("/steer") && running.steerable) ||
    (console.interactive && /^\/(help|usage|quit)\b/.test(text))

  const use = Effect.fnUntraced(function* ({ seen, text }: Line) {
    if (!seen && text.trim() !== "") say(`${paint("bold", "›")} ${harmless(text)}`)
    if (text.endsWith("\\")) {
      begun += `${text.slice(0, -1)}\n`
      return
    }
    const whole = begun + text
    begun = ""
    const [, word, rest = ""] = /^(\/\S*)\s*([^]*)$/.exec(whole.trimEnd()) ?? []
    if (word !== undefined) return yield* command(word, rest)
    if (whole.trim() !== "") yield* submit(whole)
  })

  const answer = (key: string) => {
    const sending = questions.answer(key)
    return sending === null ? Effect.void : meanwhile(sending)
  }

  // ---- what the session tells

  const ended = ({ error, result }: Told) => {
    running = null
    if (error !== undefined) {
      failed = true
      return complain(`${String(at(error, "data", "class") ?? "failed")}: ${String(at(error, "message"))}`, "\n")
    }
    const how = String(at(result, "stopReason"))
    if (at(result, "_meta", "troupe/accepted_without_end") === true) note(Words.withoutEnd)
    if (how === "end_turn") console.write(narrator.end())
    else note(how === "cancelled" ? "— interrupted" : `— ${oneLine(how)}`)
    console.write("\n")
  }

  const told = Effect.fnUntraced(function* (message: Told) {
    const { method, params } = message
    if (method === undefined) return ended(message)
    if (method === "_troupe/approval_asked") {
      const question = conversation.question(String(at(params, "approval_id")))
      return yield* meanwhile(Effect.map(question, (question) => ({ _tag: "Asked", question }) as const))
    }
    if (method === "_troupe/approval_settled") return note(questions.settled(record(params)))
    if (method.startsWith("_troupe/")) {
      if (running !== null && at(params, "to") === "turning.running") running.steerable = true
      return note(Words.newsOf(method, params))
    }
    const update: SessionUpdate = { sessionUpdate: "", ...record(at(params, "update")) }
    const [used, size] = [whole(update["used"]), whole(update["size"])]
    if (update.sessionUpdate === "usage_update" && used !== null && size !== null) context = { used, size }
    note(Words.asideOf(update))
    // After a turn nothing may follow for long: the line is ended, so that it is seen.
    console.write(narrator.tell(message) + (running === null ? narrator.end() : ""))
  })

  // ---- one thing after the other

  const handle = Effect.fnUntraced(function* (happening: Happening) {
    switch (happening._tag) {
      case "Line":
        if (isForNow(happening) && (console.interactive || lines.length === 0)) lines = [happening, ...lines]
        else {
          // It is shown again when its turn has come.
          lines = [...lines, { ...happening, seen: false }]
          if (console.interactive && !happening.text.endsWith("\\")) note(Words.waits)
        }
        return
      case "Key":
        return yield* answer(happening.key)
      case "End":
        inputEnded = true
        return
      case "Broken":
        return yield* new CommandFailed({ code: "bad_input", problem: happening.problem })
      case "Interrupt":
        if (running === null) return note("Ctrl-D or /quit ends the chat.")
        if (!running.interrupted) return yield* interrupt(running)
        exitCode = 130
        return
      case "Signal":
        if (happening.signal === "SIGINT" && running?.interrupted === false) return yield* interrupt(running)
        exitCode = 128 + constants.signals[happening.signal]
        return
      case "Told":
        yield* told(happening.message)
        yield* ahead.release(1)
        return
      case "Asked":
        if (happening.question !== null) questions.asked(happening.question)
        return
      case "Accepted":
        happening.turn.accepted = true
        return happening.turn.interrupted ? yield* meanwhile(conversation.interrupt) : undefined
      case "Refused":
        if (happening.turn !== null) {
          failed = true
          if (happening.turn === running) running = null
        }
        return complain(happening.error.message)
      case "Says":
        return say(happening.text)
      case "Gone":
        if (happening.error !== null) return yield* happening.error
        note("The session was closed.")
        exitCode = 0
        return
      default:
        return happening satisfies never
    }
  })

  /** Uses the lines that can be used now, and says what is listened for next. */
  const goOn = Effect.gen(function* () {
    while (goesOn()) {
      if (questions.open()) yield* questions.show
      const [line] = lines
      const isAnswer = questions.open() && !console.interactive
      if (line === undefined || !(isAnswer || isForNow(line))) break
      lines = lines.slice(1)
      console.used(1)
      yield* isAnswer ? answer(line.text) : use(line)
    }
    if (!inputEnded || !goesOn()) return
    if (console.interactive) exitCode = 0
    // Nobody is there any more who could say yes.
    else if (questions.open()) yield* answer("n")
    else if (running === null) exitCode = failed ? 1 : 0
  })
  const listen = () => {
    if (questions.open()) return
    if (running !== null) console.listen({ _tag: "Turn" })
    else console.listen({ _tag: "Line", prompt: begun === "" ? Words.prompt : Words.goesOn })
  }

  yield* signals.takeOver
  yield* Effect.forkScoped(Effect.forever(Effect.map(signals.next, (signal) => hear({ _tag: "Signal", signal }))))
  yield* conversation.events.pipe(
    Stream.runForEach((message) => Effect.map(ahead.take(1), () => hear({ _tag: "Told", message }))),
    Effect.matchEffect({
      onFailure: (error) => Effect.sync(() => hear({ _tag: "Gone", error })),
      onSuccess: () => Effect.sync(() => hear({ _tag: "Gone", error: null }))
    }),
    Effect.forkScoped
  )
  while (goesOn()) {
    listen()
    yield* handle(yield* Queue.take(inbox))
    yield* goOn
  }
  console.write(narrator.end())
  return exitCode ?? 0
}, Effect.scoped)
