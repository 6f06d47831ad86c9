/**
 * `troupe demo`: a session in the terminal, from creation to close, whose process is killed in between. It uses the
 * built-in demo agent with a real process, a real SIGKILL and a resumed thread. Nothing is stored.
 */
import { Clock, Effect, Fiber, Option, Redacted, Stream } from "effect"
import type { Scope } from "effect"
import { Command } from "effect/cli"
import { Sessions } from "../../services/Sessions.ts"
import type { Caller } from "../../services/Sessions.ts"
import { isAgentMessage } from "../../domain/Acp.ts"
import { AppName } from "../../domain/Ids.ts"
import type { SessionId } from "../../domain/Ids.ts"
import type { StoredEvent } from "../../domain/Session.ts"
import { defaultLimits } from "../../domain/Settings.ts"
import type { Settings } from "../../domain/Settings.ts"
import { outcomeOf } from "../../domain/TurnOutcome.ts"
import * as Runtime from "../../wiring.ts"
import { CommandFailed } from "../failures.ts"
import { jsonFlag } from "../options.ts"
import * as Logging from "../logging.ts"
import { makeNarrator } from "../narration.ts"
import { paint, print, printLine, write } from "../terminal.ts"

const settings: Settings = {
  dataDir: ":memory:",
  limits: defaultLimits,
  agents: {},
  defaultAgent: "demo",
  run: {}
}

const app = AppName.make("newcomer")
const caller: Caller = { _tag: "App", app }

const comebackWithin = "20 seconds"

export const demoCommand = Command.make("demo", { json: jsonFlag }, ({ json }) =>
  (json ? forPrograms : forPeople).pipe(
    Effect.scoped,
    Effect.provide(Runtime.layer(settings, { adminToken: Option.some(Redacted.make("unused-in-the-demo")) })),
    Effect.provide(Logging.quiet)
  )
).pipe(Command.withDescription("Watch a session live, lose its process, and carry on"))

/** How the story is told. */
interface Teller {
  readonly paragraph: (text: string) => Effect.Effect<void>
  readonly step: (text: string) => Effect.Effect<void>
  readonly write: (text: string) => Effect.Effect<void>
}

const story = Effect.fnUntraced(function* (tell: Teller, follow: Follow) {
  const sessions = yield* Sessions
  const processOf = (id: SessionId) => Effect.map(sessions.get(caller, id), ({ process }) => process.pid)

  yield* tell.paragraph("A session is a conversation with a coding agent. Troupe keeps it; a process only serves it.")
  const { id } = yield* sessions.create(app, { agent: "demo" })
  const followed = yield* follow(id)
  yield* tell.step(`create a session ${paint("dim", `→ ${id}`)}`)
  yield* tell.paragraph("It has no process yet: asleep, a session is a few rows in a database.")

  yield* turn(tell, id, "Remember: the answer is 42.")
  const firstPid = yield* processOf(id)
  yield* tell.paragraph(`The turn started process ${firstPid}, which stays for the next one.`)
  const { lastSeq } = yield* turn(tell, id, "slow 12 60\nEach word came when the agent said it.")
  if (firstPid === null) return yield* new CommandFailed({ code: "no_process", problem: "The agent has no process." })

  yield* tell.step(`kill -9 ${firstPid}`)
  const killedAt = yield* Clock.currentTimeMillis
  yield* Effect.sync(() => process.kill(firstPid, "SIGKILL"))
  yield* comeback(id, lastSeq)
  const ms = (yield* Clock.currentTimeMillis) - killedAt
  const secondPid = yield* processOf(id)
  yield* tell.paragraph(
    `Troupe saw it die, made sure that nothing of it was left and waited a moment: ${ms} ms later process ${secondPid} has taken the conversation up.`
  )

  const { finalText } = yield* turn(tell, id, "recall")
  yield* tell.paragraph("It knows what was said to its predecessor. That is what Troupe is for.")

  yield* sessions.close(caller, id)
  yield* followed
  const left = yield* processOf(id)
  yield* tell.step(
    `close the session ${paint("dim", `→ ${left === null ? "no process is left" : `process ${left} is left`}`)}`
  )
  return { session_id: id, killed: firstPid, ms, process: secondPid, recalled: finalText, process_left: left }
})

const forPeople = Effect.gen(function* () {
  const paragraph = (text: string) => print(`\n${wrapped(text)}`)
  const step = (text: string) => print(`\n  ${paint("green", "▸")} ${text}`)
  yield* story({ paragraph, step, write }, () => Effect.succeed(Effect.void))
  yield* print()
  yield* print(`Next: ${paint("bold", "troupe serve")} (in a checkout: npm start) does this over HTTP.`)
})

/** A line for each event of the session, and last one for what was seen. */
const forPrograms = Effect.gen(function* () {
  const nothing = () => Effect.void
  yield* printLine(yield* story({ paragraph: nothing, step: nothing, write: nothing }, printed))
})

/** Begins to follow the session; what it gives ends with the session. */
type Follow = (id: SessionId) => Effect.Effect<Effect.Effect<void, unknown>, unknown, Sessions | Scope.Scope>

const printed: Follow = Effect.fnUntraced(function* (id: SessionId) {
  const sessions = yield* Sessions
  const events = yield* sessions.events(caller, id, 0)
  const printing = Stream.runForEach(events, ({ message, seq }) => printLine({ seq, ...message }))
  return Fiber.join(yield* Effect.forkScoped(printing))
})

/** Submits a turn and tells the agent's output. A turn that fails ends the demo. */
const turn = Effect.fnUntraced(function* ({ step, write }: Teller, id: SessionId, prompt: string) {
  const sessions = yield* Sessions
  yield* step(`turn ${paint("dim", "→")} ${prompt.replaceAll("\n", paint("dim", " ⏎ "))}`)
  const narrator = makeNarrator("    ")
  const turning = yield* sessions.submit(caller, id, { prompt })
  let lastSeq = 0
  yield* Stream.runForEach(turning.events, ({ message, seq }) => {
    lastSeq = seq
    return isAgentMessage(message) && "method" in message ? write(narrator.narrate(message)) : Effect.void
  })
  yield* write(narrator.end())
  const result = yield* turning.result
  const { failure } = result.turn
  if (failure !== null) return yield* new CommandFailed({ code: failure.class, problem: failure.message })
  return { lastSeq, finalText: outcomeOf(result).finalText }
})

/** Waits until the session, whose process was just killed, has another one. */
const comeback = Effect.fnUntraced(function* (id: SessionId, lastSeq: number) {
  const sessions = yield* Sessions
  const events = yield* sessions.events(caller, id, lastSeq)
  yield* events.pipe(
    Stream.dropWhile((event) => stateOf(event) !== "idle.backingOff"),
    Stream.takeUntil((event) => stateOf(event) === "idle.awake"),
    Stream.runDrain,
    Effect.timeoutOrElse({
      duration: comebackWithin,
      orElse: () => Effect.fail(new CommandFailed({ code: "no_comeback", problem: "No new process came up in time." }))
    })
  )
})

/** The state that an event says the session has entered; `null` for other events. */
const stateOf = ({ message }: StoredEvent): string | null =>
  "method" in message && message.method === "_troupe/state" ? String(message.params["to"]) : null

/** Wraps at the width of a narrow terminal. */
const wrapped = (text: string): string => text.replace(/(.{1,78})(?:\s+|$)/g, "$1\n").trimEnd()
