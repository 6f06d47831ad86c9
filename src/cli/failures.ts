/** How a command ends that does not end well: one line on stderr, and 1 for a failure, 2 for bad usage. */
import { Cause, Schema } from "effect"
import { CliError } from "effect/cli"
import { AgentsMisconfigured } from "../agent/Catalog.ts"
import { BadConfiguration } from "./configuration/BadConfiguration.ts"

/** It was asked for in a way that can't be carried out. */
export class BadUsage extends Schema.TaggedError<BadUsage>()("BadUsage", { problem: Schema.String }) {
  override get message() {
    return this.problem
  }
}

/** It was tried, and did not come off. `code` is stable, as the HTTP API's are. */
export class CommandFailed extends Schema.TaggedError<CommandFailed>()("CommandFailed", {
  code: Schema.String,
  problem: Schema.String
}) {
  override get message() {
    return this.problem
  }
}

/** It failed, and has said so itself: a body on stdout, a line in a table. */
export class AlreadyTold extends Schema.TaggedError<AlreadyTold>()("AlreadyTold", {}) {}

/** It was told to stop before it was done. */
export class Stopped extends Schema.TaggedError<Stopped>()("Stopped", { exitCode: Schema.Int }) {}

/** A refusal, a problem of the server's or any other error, with its code and its words. */
export const asFailed = (error: unknown): CommandFailed =>
  error instanceof CommandFailed
    ? error
    : new CommandFailed({ code: codeOf(error), problem: messageOf(error, Cause.fail(error)) })

export interface Ending {
  readonly exitCode: number
  /** `null`: nothing is left to say. */
  readonly told: { readonly code: string; readonly message: string } | null
}

export const endingOf = (cause: Cause.Cause<unknown>): Ending => {
  const error = Cause.squash(cause)
  if (error instanceof AlreadyTold) return { exitCode: 1, told: null }
  if (error instanceof Stopped) return { exitCode: error.exitCode, told: null }
  // What the arguments are wrong with was told by the presenter; help that was asked for is no failure.
  if (CliError.isCliError(error) && error._tag === "ShowHelp") {
    return { exitCode: error.errors.length === 0 ? 0 : 2, told: null }
  }
  return { exitCode: isBadUsage(error) ? 2 : 1, told: { code: codeOf(error), message: messageOf(error, cause) } }
}

const isBadUsage = (error: unknown) =>
  error instanceof BadUsage ||
  error instanceof BadConfiguration ||
  error instanceof AgentsMisconfigured ||
  CliError.isCliError(error)

const field = (error: unknown, name: string): string | undefined => {
  const value = typeof error === "object" && error !== null ? (error as Record<string, unknown>)[name] : undefined
  return typeof value === "string" && value !== "" ? value : undefined
}

/** A problem of the server has `error`, a refusal has `code`; any other error goes by its name in the same style. */
const codeOf = (error: unknown): string =>
  field(error, "error") ??
  field(error, "code") ??
  (field(error, "_tag") ?? "failure").replace(/\B[A-Z]/g, "_$&").toLowerCase()

const messageOf = (error: unknown, cause: Cause.Cause<unknown>): string => {
  // A defect is ours: whoever reports it needs more than a line.
  if (!Cause.hasFails(cause)) return `This is a fault of Troupe's own, please report it.\n${Cause.pretty(cause)}`
  return (field(error, "detail") ?? field(error, "message") ?? String(error)).replace(/\s*\n\s*/g, " ")
}
