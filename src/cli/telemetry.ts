/**
 * Logs, traces and metrics by OTLP over HTTP, where the variables of OpenTelemetry name a collector; else there is no tracer
 * and nothing is sent. `OTEL_EXPORTER_OTLP_ENDPOINT` and the others are OpenTelemetry's own, so they are in no file of Troupe's.
 */
import { Cause, ConfigProvider, Effect, Layer } from "effect"
import { FetchHttpClient } from "effect/http"
import { Otlp, OtlpSerialization } from "effect/observability"
import { BadConfiguration } from "../configuration/BadConfiguration.ts"
import { version } from "./version.ts"

type Env = Readonly<Record<string, string | undefined>>

const endpoints = ["", "TRACES_", "METRICS_", "LOGS_"].map((signal) => `OTEL_EXPORTER_OTLP_${signal}ENDPOINT`)

export const isOn = (env: Env): boolean =>
  env["OTEL_SDK_DISABLED"] !== "true" && endpoints.some((name) => (env[name] ?? "") !== "")

/** How often gauges are looked at for the collector, which does not ask as `/metrics` is asked. */
export const gaugesEvery = "10 seconds"

/** The log goes on where it went. */
export const layer = (env: Env): Layer.Layer<never, BadConfiguration> =>
  isOn(env) ? Layer.unwrap(Effect.map(checked(env), otlp)) : Layer.empty

const otlp = ({ env, isJson, name }: { readonly env: Env; readonly isJson: boolean; readonly name: string }) =>
  Otlp.layerFromConfig({
    resource: { serviceName: name, serviceVersion: version },
    loggerMergeWithExisting: true,
    loggerExcludeLogSpans: true
  }).pipe(
    Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env: { ...sent, ...valuesOf(env) } }))),
    Layer.provide(isJson ? OtlpSerialization.layerJson : OtlpSerialization.layerProtobuf),
    Layer.provide(FetchHttpClient.layer),
    // Effect dies of a variable that it can't read.
    Layer.catchCause((cause) => {
      const [why = "unknown"] = Cause.prettyErrors(cause).map(({ message }) => message.replace(/\s+/g, " "))
      const problem = `A variable of OpenTelemetry (OTEL_…) can't be read: ${why}`
      return Layer.effectDiscard(Effect.fail(new BadConfiguration({ problem })))
    })
  )

/** OpenTelemetry's default, which Effect leaves to whoever sets it up. */
const sent = { OTEL_TRACES_EXPORTER: "otlp", OTEL_METRICS_EXPORTER: "otlp", OTEL_LOGS_EXPORTER: "otlp" }

/** An empty value counts as none, by OpenTelemetry's own rule. */
const valuesOf = (env: Env): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => (entry[1] ?? "") !== ""))

const checked = Effect.fnUntraced(function* (env: Env) {
  for (const name of endpoints) {
    const value = env[name] ?? ""
    if (value !== "" && !(URL.canParse(value) && /^https?:/.test(value))) {
      return yield* new BadConfiguration({
        problem: `${name} takes an http or https address, such as http://127.0.0.1:4318.`
      })
    }
  }
  const protocol = env["OTEL_EXPORTER_OTLP_PROTOCOL"] || "http/protobuf"
  if (protocol !== "http/protobuf" && protocol !== "http/json") {
    const problem = `OTEL_EXPORTER_OTLP_PROTOCOL takes http/protobuf or http/json. A collector takes both at port 4318.`
    return yield* new BadConfiguration({ problem })
  }
  return { env, isJson: protocol === "http/json", name: env["OTEL_SERVICE_NAME"] || "troupe" }
})
