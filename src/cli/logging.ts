/** The log: on stderr, because stdout is for results; as lines of JSON, or formatted for people. */
import { Layer, Logger, References } from "effect"
import type { LogLevel } from "effect"
import { styleText } from "node:util"
import type { ServerSettings } from "./configuration/Configuration.ts"

const levels: Readonly<Record<ServerSettings["logLevel"], LogLevel.LogLevel>> = {
  trace: "Trace",
  debug: "Debug",
  info: "Info",
  warn: "Warn",
  error: "Error",
  none: "None"
}

export const layer = ({ logFormat, logLevel }: Pick<ServerSettings, "logFormat" | "logLevel">) => {
  // `styleText` decides about colours: it reads the stream, NO_COLOR and FORCE_COLOR.
  const colors = styleText("red", "x", { stream: process.stderr, validateStream: true }) !== "x"
  const logger = logFormat === "json" ? Logger.withConsoleError(Logger.formatJson) : Logger.consolePretty({ colors })
  return Layer.mergeAll(
    Logger.layer([logger]),
    Layer.succeed(Logger.LogToStderr, true),
    Layer.succeed(References.MinimumLogLevel, levels[logLevel])
  )
}

/** For commands with output of their own: only errors that they can't report themselves. */
export const quiet = layer({ logFormat: "pretty", logLevel: "error" })
