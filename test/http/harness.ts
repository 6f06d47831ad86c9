/**
 * A server on a real port over scripted services: the ids of sessions and the texts of prompts decide the answers, so the
 * tests of this folder test the wire and nothing else.
 */
import { Context, Effect, Layer, Logger, Metric } from "effect"
import { HttpServer } from "effect/http"
import { jsonLine } from "../../src/domain/logLine.ts"
import * as Http from "../../src/http/Http.ts"
import { callsTo } from "./callsTo.ts"
import { makeScript } from "./makeScript.ts"

export const options: Http.HttpOptions = {
  host: "127.0.0.1",
  port: 0,
  allowedHosts: ["localhost", "127.0.0.1", "[::1]"],
  allowedOrigins: ["https://console.example"],
  maxBodyBytes: 64 * 1024
}

/** The server is closed with the scope, and counts in metrics of its own. */
export const open = (patch: Partial<Http.HttpOptions> = {}) =>
  Effect.gen(function* () {
    const { services, script } = yield* makeScript
    const scriptLogger = Logger.make((entry) => script.log.push(jsonLine(entry)))
    const context = yield* Layer.build(Http.layer({ ...options, ...patch }).pipe(Layer.provide(services))).pipe(
      Effect.provide(Logger.layer([scriptLogger]))
    )
    const { address } = Context.get(context, HttpServer.HttpServer)
    return { script, ...callsTo(HttpServer.formatAddress(address)) }
  }).pipe(Effect.provideService(Metric.MetricRegistry, new Map()))
