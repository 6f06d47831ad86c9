/**
 * The real acpx program as the go-between: a named session of its own per session of ours.
 *
 * There is no lasting process of ours. Each prompt is a short-lived command; behind it an owner process, which acpx
 * detaches from it, holds the agent. It carries our marker, and goes when we ask to exit. Costs 1.0 to 1.2 s a turn
 * and answers permissions by rule, so `acp` is the better way wherever an agent can be spoken to directly.
 *
 * acpx keeps its records in `$HOME/.acpx`, which can't be set apart from the agent's own home; they stay when a session
 * goes (`acpx sessions prune` removes closed ones), as the agents' own transcripts do.
 */
import { Deferred, Effect, Option, Scope, Semaphore } from "effect"
import type { Failure } from "../../domain/Turn.ts"
import { AgentFailed } from "../Agent.ts"
import type { AgentConnection, AgentDriver, OpenRequest } from "../Agent.ts"
import * as Commands from "../acp/commands.ts"
import * as TurnTracker from "../acp/TurnTracker.ts"
import type { PromptReply } from "../acp/TurnTracker.ts"
import * as HeldEnd from "../acp/HeldEnd.ts"
import * as Failures from "../acp/failures.ts"
import { nonEmptyTextIn } from "../../domain/json.ts"
import { Processes } from "../Processes.ts"
import type { Child } from "../Processes.ts"
import { secretsOf } from "../redact.ts"
import { wireLine } from "../wireLine.ts"
import * as Command from "./command.ts"
import type { AcpxConfig } from "./command.ts"
import * as Owner from "./owner.ts"
import * as Transcript from "./Transcript.ts"
import type { AcpxError } from "./Transcript.ts"
import * as AcpxFailures from "./failures.ts"

const capabilities = { resume: true, steer: false, compact: false, images: false }

export const make = (config: AcpxConfig): Effect.Effect<AgentDriver, never, Processes> =>
  Effect.gen(function* () {
    const processes = yield* Processes
    const driver: AgentDriver = {
      name: config.name,
      protocol: "acpx",
      capabilities,
      permissionsProblem: Command.permissionsProblem(config.agent),
      open: Effect.fn("Acpx.open")((request) => open(processes, config, request))
    }
    return driver
  })

/** `sessions new` starts the agent once and takes a second; one that `npx` fetches first takes as long as that takes. */
const ensureWithinMillis = 50_000
const cancelWithinMillis = 2_000
const interruptWithinMillis = 5_000

const lastWordWithin = "2 seconds"

/** acpx waits for a second of silence after the answer before it ends; a command that hangs after that is ended. */
const lingerWithin = "10 seconds"

const open = Effect.fnUntraced(function* (processes: Processes["Service"], config: AcpxConfig, request: OpenRequest) {
  const { lease, session, emit: tell } = request
  const scope = yield* Scope.Scope
  const who = Failures.identify(config.agent)
  const isClaude = config.agent === "claude"
  const tracker = TurnTracker.make(who)
  const secrets = secretsOf(config.env)

  const { answer, exit, line, stderr } = yield* Command.runCommand(
    processes,
    config,
    request,
    // `new` replaces what an earlier life may have left under the name.
    ["sessions", request.thread === null ? "new" : "ensure", "--name", session],
    ensureWithinMillis
  )
  const thread = nonEmptyTextIn(answer?.["acpxRecordId"])
  if (thread === null) {
    const failure =
      answer !== null
        ? AcpxFailures.ofAcpxError(who, Transcript.acpxErrorOf(answer["error"]))
        : exit === null
          ? ({
              class: "timeout",
              message: `acpx did not set up a session within ${ensureWithinMillis / 1_000} s.`
            } as const)
          : AcpxFailures.ofExit(who, exit, stderr)
    return yield* new AgentFailed({ ...failure, ...(stderr === "" ? {} : { stderr }) })
  }

  const endOwner = Owner.end(processes, lease)

  // ---- turns

  // Held while a prompt's command lives: what it prints late belongs to its own turn.
  const turning = yield* Semaphore.make(1)
  let ended = Deferred.makeUnsafe<void>()
  const ending = HeldEnd.make(tell)
  let isFirst = request.thread !== thread
  const preface = Command.takesSystemPrompt(config) ? null : request.systemPrompt

  const finish = (reply: PromptReply, wire?: string) => {
    const fact = tracker.end(reply)
    if (fact === null) return Effect.void
    if (reply.ok) isFirst = false
    return Effect.ensuring(
      ending.tell(wire === undefined ? fact : { ...fact, wire }),
      Effect.sync(() => Deferred.doneUnsafe(ended, Effect.void))
    )
  }

  const fail = (failure: Failure, wire?: string) => {
    const turn = tracker.running()
    if (turn === null) return Effect.void
    const wasCancelling = tracker.cancelling()
    // A command that breaks while it is being stopped was asked to break.
    if (wasCancelling) return finish({ ok: true, result: { stopReason: "cancelled", usage: null } }, wire)
    tracker.abandon()
    return Effect.ensuring(
      tell({
        _tag: "TurnEnded",
        turn,
        stopReason: "error",
        usage: null,
        failure,
        ...(wire === undefined ? {} : { wire })
      }),
      Effect.sync(() => Deferred.doneUnsafe(ended, Effect.void))
    )
  }

  /** Reads a prompt's command to its end. `true`: the prompt was refused unread, because the agent lost its session. */
  const listen = (child: Child) =>
    Effect.gen(function* () {
      const transcript = Transcript.make(tracker)
      let refused = false
      let own: AcpxError | null = null
      let wire: string | undefined
      yield* Command.eachLine(child, (line) => {
        const heard = transcript.read(line)
        switch (heard?._tag) {
          case "Update":
            return tell(heard)
          case "Begun":
            return isFirst ? Effect.void : tellLoss
          case "OwnError":
            own = heard.error
            wire = wireLine(line, secrets)
            refused = AcpxFailures.isUnknownSession(heard.error) && tracker.nothingReceived()
            return Effect.void
          case "Reply": {
            const { reply } = heard
            refused = !reply.ok && reply.error.code === Failures.notFound && tracker.nothingReceived()
            return refused ? Effect.void : finish(reply, wireLine(line, secrets))
          }
          default:
            return Effect.void
        }
      })
      const exit = Option.getOrElse(yield* Effect.timeoutOption(child.exit, lingerWithin), () => ({
        code: null,
        signal: null
      }))
      if (refused) return true
      const stderr = yield* child.stderr
      const failure = own === null ? AcpxFailures.ofExit(who, exit, stderr) : AcpxFailures.ofAcpxError(who, own)
      yield* fail({ ...failure, ...(stderr === "" ? {} : { stderr }) }, wire)
      return false
    }).pipe(Effect.catch((failure) => Effect.as(fail({ class: failure.class, message: failure.message }), false)))

  /** acpx found that the agent no longer had the conversation and began another, in the middle of our turn. */
  const tellLoss = Effect.suspend(() => {
    const turn = tracker.running()
    const title = `${who.name} no longer had this conversation; acpx began a new one, without what was said before.`
    const params = { sessionId: thread, update: { sessionUpdate: "notice", severity: "warning", title } }
    return tell({ _tag: "Update", turn, message: { jsonrpc: "2.0", method: "session/update", params } })
  })

  const run = Effect.fnUntraced(function* (text: string, handed: Deferred.Deferred<void, AgentFailed>) {
    const prompt = isFirst && preface !== null ? `${preface}\n\n${text}` : text
    const once = Effect.scoped(
      Effect.gen(function* () {
        const child = yield* Command.spawn(processes, config, request, ["prompt", "-s", session, "-f", "-"], prompt)
        yield* Deferred.succeed(handed, undefined)
        return yield* listen(child)
      })
    )
    if (!(yield* once)) return
    // Refused before anybody read it, so it is safe to hand it over again, once, to a fresh owner.
    yield* endOwner
    if (yield* once) {
      yield* fail(
        AcpxFailures.ofAcpxError(who, { acpxCode: "NO_SESSION", detailCode: null, message: "it forgot the session." })
      )
    }
  })

  const prompt: AgentConnection["prompt"] = (turn, text) =>
    Effect.gen(function* () {
      const handed = yield* Deferred.make<void, AgentFailed>()
      const running = Effect.suspend(() => {
        tracker.begin(turn)
        ended = Deferred.makeUnsafe()
        return run(text, handed)
      }).pipe(
        turning.withPermit,
        // Not started, or not written: nobody has it.
        Effect.catch((failure) =>
          Effect.gen(function* () {
            if (yield* Deferred.fail(handed, failure)) tracker.abandon()
            else yield* fail(failure)
          })
        )
      )
      yield* Effect.forkIn(running, scope)
      yield* Deferred.await(handed)
    })

  const cancel = Effect.suspend(() => {
    tracker.noteCancel()
    return Effect.ignore(Command.runCommand(processes, config, request, ["cancel", "-s", session], cancelWithinMillis))
  })

  const interrupt = Effect.gen(function* () {
    const turn = tracker.running()
    if (turn === null) return
    const hadCommands = tracker.leftRunning(turn).length > 0
    // acpx answers "nothing to cancel" until its owner has handed the prompt on, which takes seconds when it is cold.
    while (tracker.running() === turn) {
      yield* cancel
      yield* Effect.timeoutOption(Deferred.await(ended), "300 millis")
    }
    const untold = !isClaude && (yield* Commands.anyLeft(processes, lease, Owner.isOwner))
    // codex ends the turn and lets its commands run on.
    if (untold || tracker.leftRunning(turn).length > 0) yield* endOwner
    if (hadCommands) yield* Commands.untilGone(processes, lease, Owner.isOwner)
  }).pipe(ending.after, Effect.timeoutOption(interruptWithinMillis), Effect.asVoid)

  const askToExit = Effect.gen(function* () {
    tracker.noteCancel()
    yield* processes.signal(lease, "SIGTERM")
    yield* endOwner
    // A prompt's command that is still there says how its turn ended before this is over.
    yield* Effect.timeoutOption(turning.withPermit(Effect.void), lastWordWithin)
    yield* ending.release
    yield* tell({ _tag: "Exited", code: 0, signal: null, stderr: "" })
  }).pipe(Effect.forkIn(scope), Effect.asVoid)

  return {
    pid: null,
    thread,
    wire: wireLine(line, secrets),
    contextLost:
      request.thread === null || request.thread === thread
        ? null
        : `acpx has no record ${request.thread} of ${who.name} any more and began a new one.`,
    version: null,
    capabilities,
    prompt,
    interrupt,
    askToExit
  } satisfies AgentConnection
})
