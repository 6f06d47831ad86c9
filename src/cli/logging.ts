/** The log: on stderr, so that stdout stays for what was asked for; a line of JSON each, or readable for people. */
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
  // Whether to colour is for `styleText` to say: it knows the stream, NO_COLOR and FORCE_COLOR.
  const colors = styleText("red", "x", { stream: process.stderr, validateStream: true }) !== "x"
  const logger = logFormat === "json" ? Logger.withConsoleError(Logger.formatJson) : Logger.consolePretty({ colors })
  return Layer.mergeAll(
    Logger.layer([logger]),
    Layer.succeed(Logger.LogToStderr, true),
    Layer.succeed(References.MinimumLogLevel, levels[logLevel])
  )
}

/** For commands whose output is a story or an answer: nothing but what goes wrong in ways they can't tell. */
export const quiet = layer({ logFormat: "pretty", logLevel: "error" })
