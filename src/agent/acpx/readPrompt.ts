/** Reads the output of one prompt's command to its end, and reports what it means for the turn. */
import { Effect, Option } from "effect"
import type { Failure } from "../../domain/Turn.ts"
import type { AgentIdentity } from "../acp/failures.ts"
import * as Failures from "../acp/failures.ts"
import type { PromptReply, TurnTracker } from "../acp/TurnTracker.ts"
import type { OpenRequest } from "../Agent.ts"
import type { Child } from "../Child.ts"
import * as Command from "./command.ts"
import * as AcpxFailures from "./failures.ts"
import * as Transcript from "./Transcript.ts"
import type { AcpxError } from "./Transcript.ts"

/** acpx ends after a second of silence behind the answer. A command that does not is ended with its scope. */
const exitWithin = "10 seconds"

export interface PromptReader {
  readonly tracker: TurnTracker
  readonly identity: AgentIdentity
  readonly emit: OpenRequest["emit"]
  readonly toWireLine: (raw: string) => string
  /** acpx began a new session of the agent. */
  readonly onNewSession: Effect.Effect<void>
  readonly onReply: (reply: PromptReply, wire: string) => Effect.Effect<void>
  /** The command ended without a reply of the agent, or after it: then no turn runs any more. */
  readonly onFailure: (failure: Failure, wire?: string) => Effect.Effect<void>
}

/** `true`: the prompt was refused before anybody read it, because the agent lost its session. */
export const readPrompt = (child: Child, reader: PromptReader): Effect.Effect<boolean> => {
  const { emit, identity, onFailure, onNewSession, onReply, toWireLine, tracker } = reader
  return Effect.gen(function* () {
    const transcript = Transcript.make(tracker)
    let isRefused = false
    let acpxError: AcpxError | null = null
    let wire: string | undefined
    yield* Command.eachLine(child, (line) => {
      const event = transcript.read(line)
      switch (event?._tag) {
        case "Update":
          return emit(event)
        case "NewSession":
          return onNewSession
        case "AcpxError":
          acpxError = event.error
          wire = toWireLine(line)
          isRefused = AcpxFailures.isUnknownSession(event.error) && tracker.nothingReceived()
          return Effect.void
        case "Reply": {
          const { reply } = event
          isRefused = !reply.ok && reply.error.code === Failures.notFound && tracker.nothingReceived()
          return isRefused ? Effect.void : onReply(reply, toWireLine(line))
        }
        default:
          return Effect.void
      }
    })
    const exit = Option.getOrElse(yield* Effect.timeoutOption(child.exit, exitWithin), () => ({
      code: null,
      signal: null
    }))
    if (isRefused) return true
    const stderr = yield* child.stderr
    const failure =
      acpxError === null
        ? AcpxFailures.ofExit(identity, exit, stderr, child.malformed.sentence())
        : AcpxFailures.ofAcpxError(identity, acpxError)
    yield* onFailure({ ...failure, ...(stderr === "" ? {} : { stderr }) }, wire)
    return false
  }).pipe(Effect.catch((failure) => Effect.as(onFailure({ class: failure.class, message: failure.message }), false)))
}
