/**
 * The command lines of acpx 0.19, and how one is run to its end.
 *
 * Flags of acpx itself stand before the agent's name. A prompt's text goes through stdin: an argument may not begin
 * with a dash, has an end that the kernel sets, and can be read by everybody on the machine.
 */
import { Effect, Option, Stream } from "effect"
import type { DriverConfig, OpenRequest } from "../Agent.ts"
import { AgentFailed } from "../Agent.ts"
import type { Permissions } from "../../domain/Session.ts"
import type { JsonObject } from "../../domain/json.ts"
import * as Lines from "../Lines.ts"
import type { Child, Processes } from "../Processes.ts"
import { parsed } from "./Transcript.ts"

export type AcpxConfig = DriverConfig & { readonly agent: string }

/** How long acpx's owner process keeps the agent warm after a prompt; the next one starts another and resumes. */
const keepAliveSeconds = 900

/**
 * acpx answers permission requests by what its command line says, so nobody can be asked. Nor can it be given our rules:
 * those of its `--permission-policy` match a tool's kind, its title or the first word of its title, whichever it is, and
 * in no order, so that leave to `edit` would be leave for a command that is called `edit`.
 */
export const permissionsProblem = (agent: string) => (permissions: Permissions) => {
  if (typeof permissions === "string" && permissions !== "ask") return null
  const [what, why] =
    permissions === "ask" ? ['"ask"', "which nobody can be"] : ["rules", "which has none that mean the same"]
  return `Permissions ${what} can't be kept behind acpx, ${why}. Use "deny", "approve_reads" or "approve_all", or the agent ${JSON.stringify(agent)} without acpx (protocol "acp").`
}

/** Nobody is started with `ask`; if one were, nobody would be there to be asked. */
const permissionFlag: Readonly<Record<OpenRequest["permissions"], string>> = {
  deny: "--deny-all",
  ask: "--deny-all",
  approve_reads: "--approve-reads",
  approve_all: "--approve-all"
}

/** Only claude-agent-acp reads acpx's system prompt; the others are told in front of the first prompt. */
export const takesSystemPrompt = (config: AcpxConfig): boolean => config.agent === "claude"

export const argv = (config: AcpxConfig, request: OpenRequest, command: ReadonlyArray<string>) => {
  const { cwd, model, permissions, systemPrompt } = request
  return [
    ...config.command,
    "--format=json",
    `--cwd=${cwd}`,
    `--ttl=${keepAliveSeconds}`,
    "--non-interactive-permissions=deny",
    permissionFlag[permissions],
    ...(model === null ? [] : [`--model=${model}`]),
    ...(systemPrompt === null || !takesSystemPrompt(config) ? [] : [`--append-system-prompt=${systemPrompt}`]),
    config.agent,
    ...command
  ] as unknown as DriverConfig["command"]
}

/** codex-acp would else start in a mode that asks a model instead of its client. */
const environment = (config: AcpxConfig) =>
  config.agent === "codex" ? { INITIAL_AGENT_MODE: "workspace-write", ...config.env } : config.env

/** `stdin`: what it reads; `null` where it reads nothing. */
export const spawn = Effect.fnUntraced(function* (
  processes: Processes["Service"],
  config: AcpxConfig,
  request: OpenRequest,
  command: ReadonlyArray<string>,
  stdin: string | null
) {
  const { cwd, lease, spawned } = request
  const child = yield* processes.spawn({
    lease,
    command: argv(config, request, command),
    cwd,
    env: environment(config),
    stdin: stdin !== null,
    spawned
  })
  if (stdin !== null) {
    yield* child.write(stdin)
    yield* child.end
  }
  return child
})

/** Hands each line on, awaited, in order. Ends with the output. */
export const eachLine = (
  child: Child,
  hear: (line: string) => Effect.Effect<void>
): Effect.Effect<void, AgentFailed> => {
  const lines = Lines.make()
  return Stream.runForEach(child.stdout, (chunk) =>
    Effect.suspend(() => {
      const whole = lines.push(chunk)
      return lines.overflowed() ? Effect.fail(tooLong) : Effect.forEach(whole, hear, { discard: true })
    })
  ).pipe(Effect.andThen(Effect.suspend(() => Effect.forEach(lines.rest(), hear, { discard: true }))))
}

const tooLong = new AgentFailed({
  class: "protocol",
  message: `acpx wrote a line of more than ${Lines.maxLineBytes} bytes, which is the limit. It is given up.`
})

/** Runs a command that answers with one object. Its answer, or its exit where it gave none within the time. */
export const runCommand = Effect.fnUntraced(function* (
  processes: Processes["Service"],
  config: AcpxConfig,
  request: OpenRequest,
  command: ReadonlyArray<string>,
  timeoutMillis: number
) {
  const child = yield* spawn(processes, config, request, command, null)
  let answer: JsonObject | null = null
  let answered = ""
  const read = eachLine(child, (line) =>
    Effect.sync(() => {
      const object = parsed(line)
      if (object["action"] === undefined && object["error"] === undefined) return
      answer = object
      answered = line
    })
  )
  const exit = yield* Effect.andThen(read, child.exit).pipe(Effect.timeoutOption(timeoutMillis))
  return {
    answer: answer as JsonObject | null,
    line: answered,
    exit: Option.getOrNull(exit),
    stderr: yield* child.stderr
  }
}, Effect.scoped)
