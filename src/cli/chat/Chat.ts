/**
 * A chat with a session: one loop that processes the person's input and the session's messages one after the other.
 *
 * A line is a turn. Lines that are typed while a turn runs wait for its end; a pending approval is answered before
 * anything else. The chat ends with Ctrl-D, a second Ctrl-C, a signal, or the session's end.
 */
import { Effect, Queue, Semaphore, Stream } from "effect"
import { constants } from "node:os"
import { CommandFailed } from "../failures.ts"
import { makeNarrator } from "../narration.ts"
import { Signals } from "../Signals.ts"
import type { ActiveConversation } from "./ActiveConversation.ts"
import * as ApprovalPrompts from "./ApprovalPrompts.ts"
import type { ChatEvent, RunningTurn } from "./ChatEvent.ts"
import { initialState, makeOutput } from "./ChatParts.ts"
import type { ChatParts } from "./ChatParts.ts"
import type { Console, OnInput } from "./Console.ts"
import { makeLineHandler } from "./handleLine.ts"
import type { LineHandler } from "./handleLine.ts"
import { makeMessageHandler } from "./handleMessage.ts"
import * as Words from "./words.ts"

/** Messages that may be queued for the loop; at this many their stream waits. */
const messagesAhead = 256

/** Runs the chat until it ends; the exit code. */
export const talk = Effect.fnUntraced(function* (
  { current, events, leaveOpen, moveTo, staysOpen }: ActiveConversation,
  makeConsole: (onInput: OnInput) => Console
) {
  const signals = yield* Signals
  const scope = yield* Effect.scope
  // Unbounded, because each writer is bounded: messages by permits, lines by the console, keys by the person.
  const inbox = yield* Queue.unbounded<ChatEvent>()
  const post = (event: ChatEvent) => void Queue.offerUnsafe(inbox, event)
  const permits = yield* Semaphore.make(messagesAhead)
  const console = yield* Effect.acquireRelease(
    Effect.sync(() => makeConsole(post)),
    ({ close }) => Effect.sync(close)
  )
  const narrator = makeNarrator()
  const approvals = ApprovalPrompts.make(current, console, narrator)
  const output = makeOutput(console, narrator)
  const state = initialState(current().past)
  const perform: ChatParts["perform"] = (request, turn) =>
    request.pipe(
      Effect.catch((error) => Effect.succeed<ChatEvent>({ _tag: "RequestFailed", turn: turn ?? null, error })),
      Effect.map((event) => (event === undefined ? undefined : post(event))),
      Effect.forkIn(scope)
    )
  const parts: ChatParts = {
    conversation: current,
    moveTo,
    leaveOpen,
    staysOpen,
    console,
    narrator,
    approvals,
    output,
    state,
    perform
  }
  const lines = makeLineHandler(parts)
  const handle = makeEventHandler(parts, lines, permits.release(1))
  const processLines = makeLineLoop(parts, lines)

  const expectInput = () => {
    if (approvals.open()) return
    if (state.running !== null) console.expect({ _tag: "Turn" })
    else console.expect({ _tag: "Line", prompt: state.begun === "" ? Words.prompt : Words.goesOn })
  }

  yield* signals.takeOver
  yield* Effect.forkScoped(Effect.forever(Effect.map(signals.next, (signal) => post({ _tag: "Signal", signal }))))
  yield* events.pipe(
    Stream.runForEach((message) => Effect.map(permits.take(1), () => post({ _tag: "Message", message }))),
    Effect.matchEffect({
      onFailure: (error) => Effect.sync(() => post({ _tag: "StreamEnded", error })),
      onSuccess: () => Effect.sync(() => post({ _tag: "StreamEnded", error: null }))
    }),
    Effect.forkScoped
  )
  while (state.exitCode === null) {
    expectInput()
    yield* handle(yield* Queue.take(inbox))
    yield* processLines
  }
  console.write(narrator.end())
  return state.exitCode
}, Effect.scoped)

const makeEventHandler = (parts: ChatParts, lines: LineHandler, releasePermit: Effect.Effect<unknown>) => {
  const { approvals, console, conversation, output, perform, state } = parts
  const handleMessage = makeMessageHandler(parts)

  const interrupt = (turn: RunningTurn) => {
    output.note("^C The turn is being interrupted. Another Ctrl-C ends the chat.")
    turn.interrupted = true
    // A turn that is not accepted yet is interrupted when it is.
    return turn.accepted ? Effect.asVoid(perform(conversation().interrupt)) : Effect.void
  }

  return Effect.fnUntraced(function* (event: ChatEvent) {
    switch (event._tag) {
      case "Line":
        // An answer to a question that was settled meanwhile answers nothing, and is no turn.
        if (event.isAnswer === true) return yield* answer(parts, event.text, "question")
        if (lines.canProcess(event) && (console.interactive || state.lines.length === 0)) {
          state.lines = [event, ...state.lines]
        } else {
          // The line is printed again when it is processed.
          state.lines = [...state.lines, { ...event, echoed: false }]
          if (console.interactive && !event.text.endsWith("\\")) output.note(Words.waits)
        }
        return
      case "Key":
        return yield* answer(parts, event.key, "permission")
      case "End":
        state.inputEnded = true
        return
      case "Broken":
        return yield* new CommandFailed({ code: "bad_input", problem: event.problem })
      case "Interrupt":
        if (state.running === null) return output.note("Ctrl-D or /quit ends the chat.")
        if (!state.running.interrupted) return yield* interrupt(state.running)
        state.exitCode = 130
        return
      case "Signal":
        if (event.signal === "SIGINT" && state.running?.interrupted === false) return yield* interrupt(state.running)
        state.exitCode = 128 + constants.signals[event.signal]
        return
      case "Message":
        yield* handleMessage(event.message)
        yield* releasePermit
        return
      case "ApprovalRequested":
        if (event.approval !== null) approvals.add(event.approval)
        return
      case "Accepted":
        event.turn.accepted = true
        if (event.turn.interrupted) yield* perform(conversation().interrupt)
        return
      case "RequestFailed":
        if (event.turn !== null) {
          state.failed = true
          if (event.turn === state.running) state.running = null
        }
        return output.complain(event.error.message)
      case "Notice":
        return output.print(event.text)
      case "StreamEnded":
        if (event.error !== null) return yield* event.error
        output.note("The session was closed.")
        state.exitCode = 0
        return
      default:
        return event satisfies never
    }
  })
}

const answer = ({ approvals, perform }: ChatParts, ...typed: Parameters<ApprovalPrompts.ApprovalPrompts["answer"]>) => {
  const sending = approvals.answer(...typed)
  return sending === null ? Effect.void : Effect.asVoid(perform(sending))
}

const decline = ({ approvals, perform }: ChatParts) => {
  const sending = approvals.decline()
  return sending === null ? Effect.void : Effect.asVoid(perform(sending))
}

/** Processes the lines that can be processed now, and ends the chat where the input has ended and nothing is left. */
const makeLineLoop = (parts: ChatParts, lines: LineHandler) => {
  const { approvals, console, state } = parts

  return Effect.gen(function* () {
    while (state.exitCode === null) {
      if (approvals.open()) yield* approvals.show
      const [line] = state.lines
      const isAnswer = approvals.open() && !console.interactive
      if (line === undefined || !(isAnswer || lines.canProcess(line))) break
      state.lines = state.lines.slice(1)
      console.used(1)
      yield* isAnswer ? answer(parts, line.text, "either") : lines.process(line)
    }
    if (!state.inputEnded || state.exitCode !== null) return
    if (console.interactive) state.exitCode = 0
    // stdin has ended, so nobody can approve any more.
    else if (approvals.open()) yield* decline(parts)
    else if (state.running === null) state.exitCode = state.failed ? 1 : 0
  })
}
