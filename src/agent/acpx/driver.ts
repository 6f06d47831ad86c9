/**
 * The driver of agents behind the real acpx program: each of our sessions has a named acpx session.
 *
 * There is no lasting process of ours. Each prompt is a short-lived command; an owner process, which acpx detaches from
 * it, holds the agent between prompts. The owner carries our marker, and is ended when we ask to exit. A turn takes 1.0
 * to 1.2 s more, and permissions are answered by rule, so `acp` is better wherever an agent can be spoken to directly.
 *
 * acpx keeps its records in `$HOME/.acpx`, which can't be separated from the agent's own home. They stay when a session
 * is deleted (`acpx sessions prune` removes closed ones), as the agents' own transcripts do.
 */
import { Effect, Scope } from "effect"
import { nonEmptyTextIn } from "../../domain/json.ts"
import { noChoices } from "../../domain/Session.ts"
import * as Commands from "../acp/commands.ts"
import * as Failures from "../acp/failures.ts"
import { promptProblem } from "../acp/promptProblem.ts"
import * as TurnTracker from "../acp/TurnTracker.ts"
import { AgentFailed } from "../Agent.ts"
import { noCapabilities } from "../Capabilities.ts"
import type { AgentConnection, AgentDriver, OpenRequest } from "../Agent.ts"
import type { Capabilities } from "../Capabilities.ts"
import { Processes } from "../Processes.ts"
import { secretsIn } from "../redact.ts"
import { wireLine } from "../wireLine.ts"
import * as Command from "./command.ts"
import type { AcpxConfig } from "./command.ts"
import * as AcpxFailures from "./failures.ts"
import * as Owner from "./owner.ts"
import * as Prompts from "./Prompts.ts"
import * as Transcript from "./Transcript.ts"

const capabilities: Capabilities = { ...noCapabilities, resume: true }

export const make = (config: AcpxConfig): Effect.Effect<AgentDriver, never, Processes> =>
  Effect.gen(function* () {
    const processes = yield* Processes
    const driver: AgentDriver = {
      name: config.name,
      protocol: "acpx",
      capabilities,
      promptProblem,
      permissionsProblem: Command.permissionsProblem(config),
      open: Effect.fn("Acpx.open")((request) => open(processes, config, request))
    }
    return driver
  })

/** `sessions new` starts the agent once and takes a second; one that `npx` downloads first takes as long as that. */
const ensureWithinMillis = 50_000
const cancelWithinMillis = 2_000
const interruptWithinMillis = 5_000

/** How long an exit waits for the end of a prompt's command. */
const promptEndWithin = "2 seconds"

const open = Effect.fnUntraced(function* (processes: Processes["Service"], config: AcpxConfig, request: OpenRequest) {
  const { emit, lease, session } = request
  const scope = yield* Scope.Scope
  const identity = Failures.identify(config.agent)
  const tracker = TurnTracker.make(identity)
  const secrets = secretsIn(config)
  const toWireLine = (raw: string) => wireLine(raw, secrets)
  const { line, thread } = yield* openSession(processes, config, request)
  const endOwner = Owner.end(processes, lease)
  const { ended, exclusive, heldEnd, prompt } = yield* Prompts.make({
    processes,
    config,
    request,
    tracker,
    thread,
    identity,
    endOwner,
    toWireLine
  })

  const cancel = Effect.suspend(() => {
    tracker.noteCancel()
    return Effect.ignore(Command.runCommand(processes, config, request, ["cancel", "-s", session], cancelWithinMillis))
  })

  const interrupt = Effect.gen(function* () {
    const turn = tracker.running()
    if (turn === null) return
    const hadCommands = tracker.leftRunning(turn).length > 0
    // acpx answers "nothing to cancel" until its owner has handed the prompt on, which takes seconds after a cold start.
    while (tracker.running() === turn) {
      yield* cancel
      yield* Effect.timeoutOption(ended, "300 millis")
    }
    const isClaude = config.agent === "claude"
    const hasUnreported = !isClaude && (yield* Commands.anyLeft(processes, lease, Owner.isOwner))
    // codex ends the turn and lets its commands run on.
    if (hasUnreported || tracker.leftRunning(turn).length > 0) yield* endOwner
    if (hadCommands) yield* Commands.untilGone(processes, lease, Owner.isOwner)
  }).pipe((stops) => heldEnd.holdDuring(stops), Effect.timeoutOption(interruptWithinMillis), Effect.asVoid)

  const askToExit = Effect.gen(function* () {
    tracker.noteCancel()
    yield* processes.signal(lease, "SIGTERM")
    yield* endOwner
    // A prompt's command that still runs reports its turn's end first.
    yield* Effect.timeoutOption(exclusive.withPermit(Effect.void), promptEndWithin)
    yield* heldEnd.release
    yield* emit({ _tag: "Exited", code: 0, signal: null, stderr: "" })
  }).pipe(Effect.forkIn(scope), Effect.asVoid)

  return {
    pid: null,
    thread,
    wire: toWireLine(line),
    contextLost:
      request.thread === null || request.thread === thread
        ? null
        : `acpx has no record ${request.thread} of ${identity.name} any more and began a new one.`,
    version: null,
    capabilities,
    configured: { arguments: [Command.permissionFlag(config, request.permissions)] },
    choices: () => noChoices,
    prompt,
    interrupt,
    askToExit
  } satisfies AgentConnection
})

/** `thread` is the id of acpx's record; `line` is acpx's answer. */
const openSession = Effect.fnUntraced(function* (
  processes: Processes["Service"],
  config: AcpxConfig,
  request: OpenRequest
) {
  const opened = yield* Command.runCommand(
    processes,
    config,
    request,
    // `new` replaces what an earlier process may have left under the name.
    ["sessions", request.thread === null ? "new" : "ensure", "--name", request.session],
    ensureWithinMillis
  )
  const thread = nonEmptyTextIn(opened.answer?.["acpxRecordId"])
  if (thread === null) return yield* failed(config, opened)
  // Of a conversation that goes on acpx and Claude keep the mode; asked for it cold, acpx could replace a lost one unseen.
  const mode = thread === request.thread ? null : Command.askingMode(config)
  if (mode !== null) {
    const set = yield* Command.runCommand(
      processes,
      config,
      request,
      ["set-mode", mode, "-s", request.session],
      ensureWithinMillis
    )
    if (set.answer?.["action"] !== "mode_set") return yield* failed(config, set)
  }
  return { line: opened.line, thread }
})

const failed = (config: AcpxConfig, { answer, exit, noise, stderr }: Command.Result) => {
  const identity = Failures.identify(config.agent)
  const failure =
    answer !== null
      ? AcpxFailures.ofAcpxError(identity, Transcript.acpxErrorOf(answer["error"]))
      : exit === null
        ? ({
            class: "timeout",
            message: `acpx did not set up a session within ${ensureWithinMillis / 1_000} s.${noise}`
          } as const)
        : AcpxFailures.ofExit(identity, exit, stderr, noise)
  return new AgentFailed({ ...failure, ...(stderr === "" ? {} : { stderr }) })
}
