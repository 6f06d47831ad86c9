/** The failures of commands: one line on stderr, and exit code 1 for a failure unless it has its own, 2 for bad usage. */
import { Cause, Effect, Schema } from "effect"
import { CliError } from "effect/cli"
import type { UnknownAgent } from "../domain/Refusal.ts"
import { AgentsMisconfigured } from "../domain/Settings.ts"
import * as OpenFiles from "./openFiles.ts"
import { BadConfiguration } from "../configuration/BadConfiguration.ts"

/** The command was given in a way that can't be carried out. */
export class BadUsage extends Schema.TaggedError<BadUsage>()("BadUsage", { problem: Schema.String }) {
  override get message() {
    return this.problem
  }
}

/** The command failed. `code` is stable, as the codes of the HTTP API are. */
export class CommandFailed extends Schema.TaggedError<CommandFailed>()("CommandFailed", {
  code: Schema.String,
  problem: Schema.String,
  exitCode: Schema.optionalKey(Schema.Int)
}) {
  override get message() {
    return this.problem
  }
}

/** The command failed and has reported that itself: a body on stdout, a line in a table. */
export class AlreadyReported extends Schema.TaggedError<AlreadyReported>()("AlreadyTold", {
  exitCode: Schema.optionalKey(Schema.Int)
}) {}

/** A signal ended the command. */
export class Stopped extends Schema.TaggedError<Stopped>()("Stopped", { exitCode: Schema.Int }) {}

/** Where there is no API that would list them. */
export const noSuchAgent = ({ code, name }: UnknownAgent) =>
  Effect.fail(
    new CommandFailed({
      code,
      problem: `No agent is called ${JSON.stringify(name)}. troupe doctor lists the ones there are; troupe.config.json adds more.`
    })
  )

/** A refusal, a problem of the server or any other error, with its code and its message. */
export const asCommandFailed = (error: unknown): CommandFailed =>
  error instanceof CommandFailed
    ? error
    : new CommandFailed({ code: codeOf(error), problem: messageOf(error, Cause.fail(error)) })

export interface Ending {
  readonly exitCode: number
  /** `null`: everything was reported before. */
  readonly report: { readonly code: string; readonly message: string } | null
}

export const endingOf = (cause: Cause.Cause<unknown>): Ending => {
  const error = Cause.squash(cause)
  if (error instanceof AlreadyReported) return { exitCode: error.exitCode ?? 1, report: null }
  if (error instanceof Stopped) return { exitCode: error.exitCode, report: null }
  // The presenter has reported wrong arguments; requested help is no failure.
  if (CliError.isCliError(error) && error._tag === "ShowHelp") {
    return { exitCode: error.errors.length === 0 ? 0 : 2, report: null }
  }
  const ownCode = error instanceof CommandFailed ? error.exitCode : undefined
  const exitCode = ownCode ?? (isBadUsage(error) ? 2 : 1)
  return { exitCode, report: { code: codeOf(error), message: messageOf(error, cause) } }
}

/** Refusals of what was asked for: the arguments are wrong, whoever has noticed it. */
const refusedArguments: ReadonlySet<string> = new Set(["invalid_request", "unknown_agent"])

const isBadUsage = (error: unknown) =>
  error instanceof BadUsage ||
  error instanceof BadConfiguration ||
  error instanceof AgentsMisconfigured ||
  CliError.isCliError(error) ||
  refusedArguments.has(codeOf(error))

const field = (error: unknown, name: string): string | undefined => {
  const value = typeof error === "object" && error !== null ? (error as Record<string, unknown>)[name] : undefined
  return typeof value === "string" && value !== "" ? value : undefined
}

/** A problem of the server has `error`, a refusal has `code`; any other error gets its tag in snake_case. */
const codeOf = (error: unknown): string =>
  field(error, "error") ??
  field(error, "code") ??
  (field(error, "_tag") ?? "failure").replace(/\B[A-Z]/g, "_$&").toLowerCase()

/** Addresses of the API, as the command line asks for the same. */
const commandsOf: ReadonlyArray<readonly [RegExp, string]> = [
  [/GET \/sessions\b/g, "troupe sessions list"],
  [/GET \/agents\b/g, "troupe doctor"],
  [/POST \/admin\/sessions\/(\S+)\/unpark/g, "troupe sessions unpark $1"],
  [/send "queue": true to wait/g, "add --queue to wait"],
  [/Send a valid token as `Authorization: Bearer <token>`/g, "Give a valid token by TROUPE_TOKEN, or --token"]
]

const inCommands = (text: string): string =>
  commandsOf.reduce((told, [address, command]) => told.replace(address, command), text)

const messageOf = (error: unknown, cause: Cause.Cause<unknown>): string => {
  const text = (field(error, "detail") ?? field(error, "message") ?? String(error)).replace(/\s*\n\s*/g, " ")
  const noFiles = OpenFiles.exhausted(text)
  if (noFiles !== null) return noFiles
  // A defect is a fault of Troupe, and a report of it needs the stack.
  if (!Cause.hasFails(cause)) return `This is a fault of Troupe's own, please report it.\n${Cause.pretty(cause)}`
  return inCommands(text)
}
