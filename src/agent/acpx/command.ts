/**
 * Builds the command lines of acpx 0.19, and runs them.
 *
 * Flags of acpx itself come before the agent's name. A prompt's text goes through stdin: an argument can't begin with a
 * dash, is limited in length by the kernel, and can be read by every user of the machine.
 */
import { Effect, Option, Stream } from "effect"
import { join } from "node:path"
import type { JsonObject } from "../../domain/json.ts"
import type { Permissions } from "../../domain/Permissions.ts"
import { environment as settingsFor, permissionsProblem as agentProblem } from "../acp/agentSettings.ts"
import { ofCommand } from "../acp/knownAgents.ts"
import { AgentFailed } from "../Agent.ts"
import type { DriverConfig, OpenRequest } from "../Agent.ts"
import type { Child, Exit } from "../Child.ts"
import * as Deadline from "../deadline.ts"
import * as GitConfig from "../gitConfig.ts"
import { acpxFetches } from "../Launch.ts"
import * as Lines from "../Lines.ts"
import type { Processes } from "../Processes.ts"
import * as Repository from "../repository.ts"
import { failUnreadable } from "../unreadable.ts"
import { parsed } from "./Transcript.ts"

/** `agent`: the agent's name in acpx's registry. */
export type AcpxConfig = DriverConfig & {
  readonly agent: string
  readonly trustedRoots?: ReadonlyArray<string> | undefined
}

/** How long acpx's owner process keeps the agent after a prompt. A later prompt starts another owner and resumes. */
const keepAliveSeconds = 900

/**
 * Why acpx can't enforce these permissions in this directory; `null`: it can.
 *
 * acpx answers permission requests by its command line, so no person can be asked. It can't take our rules either: those
 * of its `--permission-policy` match a tool's kind, its title or the first word of its title, without distinction and
 * without an order, so a rule that allows `edit` would allow a command with the name `edit`.
 *
 * The directory's `.acpxrc.json` says what acpx starts for an agent. And acpx has Claude Code take settings, hooks and MCP
 * servers from the repository, and gives no way to send the options by which the `acp` driver prevents that.
 */
export const permissionsProblem =
  (config: AcpxConfig) =>
  (permissions: Permissions, cwd: string): string | null => {
    const { agent, trustedRoots } = config
    if (permissions === "approve_all") return null
    const subject = typeof permissions === "string" ? JSON.stringify(permissions) : "rules"
    const others = agent === "claude" ? `"approve_all",` : `"deny", "approve_reads" or "approve_all",`
    const otherwise = `or the agent ${JSON.stringify(agent)} without acpx (protocol "acp").`
    if (typeof permissions !== "string" || permissions === "ask" || permissions === "approve_edits") {
      const reason = typeof permissions === "string" ? "where nobody can be asked" : "which has none that mean the same"
      return `Permissions ${subject} can't be kept behind acpx, ${reason}. Use ${others} ${otherwise}`
    }
    if (agent === "claude") {
      return `Permissions ${subject} can't be kept by Claude Code behind acpx: it runs the hooks and MCP servers of the session's repository, and writes its memory unasked. Use ${others} ${otherwise}`
    }
    const trust = trustedRoots === undefined ? {} : { trustedRoots }
    const repository = Repository.isTrusted(cwd, trustedRoots)
      ? null
      : repositoryProblem(config, subject, otherwise, cwd)
    return repository ?? agentProblem(ofCommand([], { registry: agent }), config, trust, { cwd, permissions })
  }

/** What a directory that nobody trusts would have acpx start. */
const repositoryProblem = (
  { agent, command, env, name }: AcpxConfig,
  subject: string,
  otherwise: string,
  cwd: string
): string | null => {
  const acpxSettings = Repository.settingsAround(cwd, [".acpxrc.json"], [])
  if (acpxSettings !== null) {
    return `Permissions ${subject} can't be kept by ${name} here: ${acpxSettings} would decide what acpx starts. Use "approve_all", ${otherwise}`
  }
  // `npx`, which acpx starts in the session's directory, takes programs and the registry from it, and from those above.
  const own = ["node_modules", ".npmrc"].flatMap((file) => (env["HOME"] === undefined ? [] : join(env["HOME"], file)))
  const packages = acpxFetches(agent, command.at(-1) ?? "")
    ? Repository.settingsAround(cwd, ["node_modules", ".npmrc"], own, { anywhere: true })
    : null
  if (packages !== null) {
    return `Permissions ${subject} can't be kept by ${name} here: acpx would download ${agent}, and ${packages} would decide what runs. Install the agent's adapter beside acpx, or use "approve_all", ${otherwise}`
  }
  return null
}

/** Where nobody can be asked and a reader's question may be more than a read: codex reads within its sandbox, unasked. */
export const permissionFlag = ({ agent }: AcpxConfig, permissions: OpenRequest["permissions"]): string => {
  if (permissions === "approve_all") return "--approve-all"
  return permissions === "approve_reads" && agent !== "codex" ? "--approve-reads" : "--deny-all"
}

/** Only claude-agent-acp reads acpx's system prompt; other agents get it in front of their first prompt. */
export const takesSystemPrompt = (config: AcpxConfig): boolean => config.agent === "claude"

export const argv = (config: AcpxConfig, request: OpenRequest, command: ReadonlyArray<string>) => {
  const { cwd, model, permissions, systemPrompt } = request
  return [
    ...config.command,
    "--format=json",
    `--cwd=${cwd}`,
    `--ttl=${keepAliveSeconds}`,
    "--non-interactive-permissions=deny",
    permissionFlag(config, permissions),
    ...(model === null ? [] : [`--model=${model}`]),
    ...(systemPrompt === null || !takesSystemPrompt(config) ? [] : [`--append-system-prompt=${systemPrompt}`]),
    config.agent,
    ...command
  ] as unknown as DriverConfig["command"]
}

/**
 * The mode in which the agent asks acpx, which answers by the session's permissions; `null`: the agent starts in it, or
 * takes it from its environment. claude-agent-acp starts in `auto` since 0.101, where it runs commands unasked.
 */
export const askingMode = ({ agent }: AcpxConfig): string | null => (agent === "claude" ? "default" : null)

/** Without it codex-acp starts in a mode that asks a model instead of its client. */
const environment = (config: AcpxConfig, permissions: OpenRequest["permissions"]) => ({
  ...config.env,
  ...settingsFor(ofCommand([], { registry: config.agent }), { permissions, questions: false }, config.env),
  ...(config.agent === "codex" && permissions === "approve_all" ? { INITIAL_AGENT_MODE: "workspace-write" } : {})
})

/** The limit on the command line; Linux takes 128 kB for an argument. */
const maxSystemPromptBytes = 96 * 1024

/** `stdin`: what the command reads; `null`: nothing. */
export const spawn = Effect.fnUntraced(function* (
  processes: Processes["Service"],
  config: AcpxConfig,
  request: OpenRequest,
  command: ReadonlyArray<string>,
  stdin: string | null
) {
  const { cwd, lease, spawned, systemPrompt } = request
  if (takesSystemPrompt(config) && Buffer.byteLength(systemPrompt ?? "") > maxSystemPromptBytes) {
    const message = `system_prompt may have at most ${maxSystemPromptBytes} bytes with ${config.name}: acpx takes it on its command line. Shorten it, or use the agent without acpx (protocol "acp").`
    return yield* new AgentFailed({ class: "config", message })
  }
  const ownEnv = environment(config, request.permissions)
  const env = { ...ownEnv, ...(yield* GitConfig.environment(processes, request, ownEnv, config.trustedRoots)) }
  const child = yield* processes.spawn({
    lease,
    command: argv(config, request, command),
    cwd,
    env,
    secrets: config.secrets,
    stdin: stdin !== null,
    spawned
  })
  if (stdin !== null) {
    yield* child.write(stdin)
    yield* child.end
  }
  return child
})

/** Awaits `onLine` for each line, in order. Ends with the output. */
export const eachLine = (
  child: Child,
  onLine: (line: string) => Effect.Effect<void>
): Effect.Effect<void, AgentFailed> => {
  const lines = Lines.make()
  const take = (line: string) => {
    if (!line.trimStart().startsWith("{")) child.malformed.note(line)
    return onLine(line)
  }
  return Stream.runForEach(child.stdout, (chunk) =>
    Effect.suspend(() => {
      const complete = lines.push(chunk)
      return lines.overflowed() ? Effect.fail(tooLong) : Effect.forEach(complete, take, { discard: true })
    })
  ).pipe(
    Effect.andThen(Effect.suspend(() => Effect.forEach(lines.rest(), take, { discard: true }))),
    failUnreadable(child)
  )
}

const tooLong = new AgentFailed({
  class: "protocol",
  message: `acpx wrote a line of more than ${Lines.maxLineBytes} bytes, which is the limit. It is given up.`
})

/** What a command answered, `null`: nothing; and its exit, `null`: it did not end in time. */
export interface Result {
  readonly answer: JsonObject | null
  /** The answer as it was read. */
  readonly line: string
  readonly exit: Exit | null
  readonly stderr: string
  /** A sentence on output that was no message. */
  readonly noise: string
}

/** Runs a command that answers with one object. */
export const runCommand = Effect.fnUntraced(function* (
  processes: Processes["Service"],
  config: AcpxConfig,
  request: OpenRequest,
  command: ReadonlyArray<string>,
  timeoutMillis: number
) {
  const child = yield* spawn(processes, config, request, command, null)
  let answer: JsonObject | null = null
  let answerLine = ""
  const read = eachLine(child, (line) =>
    Effect.sync(() => {
      const object = parsed(line)
      if (object["action"] === undefined && object["error"] === undefined) return
      answer = object
      answerLine = line
    })
  )
  const exit = yield* Deadline.timeoutOption(Effect.andThen(read, child.exit), timeoutMillis)
  const result: Result = {
    answer,
    line: answerLine,
    exit: Option.getOrNull(exit),
    stderr: yield* child.stderr,
    noise: child.malformed.sentence()
  }
  return result
}, Effect.scoped)
