/** The log: on stderr, because stdout is for results; as lines of JSON, or formatted for people. */
import { Layer, Logger, References } from "effect"
import type { LogLevel } from "effect"
import { styleText } from "node:util"
import { jsonLine, textLine } from "../domain/logLine.ts"
import type { ServerSettings } from "../configuration/Configuration.ts"

const levels: Readonly<Record<ServerSettings["logLevel"], LogLevel.LogLevel>> = {
  trace: "Trace",
  debug: "Debug",
  info: "Info",
  warn: "Warn",
  error: "Error",
  none: "None"
}

export const layer = ({ logFormat, logLevel }: Pick<ServerSettings, "logFormat" | "logLevel">) =>
  Layer.mergeAll(
    Logger.layer([Logger.withConsoleError(Logger.make(logFormat === "json" ? jsonLine : forPeople))]),
    Layer.succeed(Logger.LogToStderr, true),
    Layer.succeed(References.MinimumLogLevel, levels[logLevel])
  )

const forPeople = (entry: Logger.Options<unknown>): string => textLine(entry, coloured)

/** `styleText` decides about colours: it reads the stream, NO_COLOR and FORCE_COLOR. */
const coloured = (level: string, text: string): string =>
  styleText(colors[level] ?? "dim", text, { stream: process.stderr, validateStream: true })

const colors: Readonly<Record<string, Parameters<typeof styleText>[0]>> = {
  info: "green",
  warn: "yellow",
  error: "red",
  fatal: "red"
}

/** For commands with output of their own: only errors that they can't report themselves. */
export const quiet = layer({ logFormat: "pretty", logLevel: "error" })
