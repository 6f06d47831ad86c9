/**
 * Reads `troupe.config.json`, which may have comments and trailing commas, and checks its keys.
 *
 * An unknown key is an error, because a misspelt limit would not take effect. The agents and `run` are objects and are
 * decoded here; the single values are read together with the environment and the flags.
 */
import { Effect, Result, Schema, SchemaIssue } from "effect"
import { readFile } from "node:fs/promises"
import { resolve } from "node:path"
import stripJsonComments from "strip-json-comments"
import { closestName } from "../domain/nearestName.ts"
import { McpServerName, McpServerSpec, mcpServerKeys } from "../domain/McpServer.ts"
import { AgentSpec, RunSpec } from "../domain/Settings.ts"
import { AgentDirectory } from "../services/AgentDirectory.ts"
import { BadConfiguration, quoted } from "./BadConfiguration.ts"
import { names, placeOf } from "./keys.ts"
import type { KeyName } from "./keys.ts"

export interface ConfigurationFile {
  readonly path: string
  /** The path as its author named it, for errors. */
  readonly displayName: string
  /** The single values by their names, wherever they are in the file. */
  readonly values: { readonly [K in KeyName]?: unknown }
  readonly agents: Readonly<Record<string, AgentSpec>>
  readonly mcpServers: Readonly<Record<string, McpServerSpec>>
  readonly run: RunSpec
}

export const defaultName = "troupe.config.json"

/** `named` is the value of `--config`. Without it the default file in `cwd` is read, which need not exist. */
export const read = Effect.fnUntraced(function* (named: string | null, cwd: string) {
  const displayName = named ?? defaultName
  const path = resolve(cwd, displayName)
  const text = yield* Effect.tryPromise({
    try: () => readFile(path, "utf8"),
    catch: (cause) => cause as NodeJS.ErrnoException
  }).pipe(
    Effect.catch((cause) =>
      named === null && cause.code === "ENOENT"
        ? Effect.succeed("{}")
        : bad(`The configuration file ${displayName} can't be read: ${cause.message}`)
    )
  )
  return yield* check(displayName, path, yield* parse(displayName, text))
})

/** Checks a configuration as it is in a file, wherever it comes from. */
export const check = Effect.fnUntraced(function* (
  displayName: string,
  path: string,
  content: Readonly<Record<string, unknown>>
) {
  const file: ConfigurationFile = {
    path,
    displayName,
    values: valuesOf(content),
    agents: yield* decode(displayName, "agents", decodeAgents(content["agents"] ?? {})),
    mcpServers: yield* decode(displayName, "mcpServers", decodeMcpServers(content["mcpServers"] ?? {})),
    run: yield* decode(displayName, "run", decodeRun(content["run"] ?? {}))
  }
  yield* checkAllKeys(file, content)
  yield* checkPrograms(file)
  return file
})

const decodeAgents = Schema.decodeUnknownResult(Schema.Record(Schema.NonEmptyString, AgentSpec), { reportInput: true })
const decodeMcpServers = Schema.decodeUnknownResult(Schema.Record(McpServerName, McpServerSpec), { reportInput: true })
const decodeRun = Schema.decodeUnknownResult(RunSpec, { reportInput: true })

const bad = (problem: string) => Effect.fail(new BadConfiguration({ problem }))

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const valuesOf = (content: Readonly<Record<string, unknown>>): ConfigurationFile["values"] =>
  Object.fromEntries(
    names.map((name) => {
      const [first, second] = placeOf(name)
      const value = content[first]
      return [name, second === undefined ? value : isObject(value) ? value[second] : undefined]
    })
  )

const parse = Effect.fnUntraced(function* (path: string, text: string) {
  const content = yield* Effect.try({
    // Blanks take the place of comments, so the place that an error names is that in the file.
    try: (): unknown => JSON.parse(stripJsonComments(text.replace(/^\uFEFF/, ""), { trailingCommas: true })),
    catch: (cause) => new BadConfiguration({ problem: `${path} is no JSON: ${(cause as Error).message}` })
  })
  return isObject(content) ? content : yield* bad(`${path} is ${quoted(content)}: it takes a JSON object.`)
})

const firstIssue = SchemaIssue.makeFormatterStandardSchemaV1()

const decode = <A>(path: string, key: string, decoded: Result.Result<A, Schema.SchemaError>) =>
  Result.match(decoded, {
    onSuccess: (value) => Effect.succeed(value),
    onFailure: ({ issue }) => {
      const [first] = firstIssue(issue).issues
      const at = [key, ...(first?.path ?? [])].map((part) => String(typeof part === "object" ? part.key : part))
      // A value in `env` or `headers` may be a secret, and its only possible mistake is its type.
      const problem =
        at.includes("env") || at.includes("headers") ? "it takes text" : (first?.message ?? "it is not understood")
      return bad(`${at.join(".")} in ${path}: ${problem.replace(/\s+/g, " ")}.`)
    }
  })

const checkAllKeys = Effect.fnUntraced(function* (file: ConfigurationFile, content: Readonly<Record<string, unknown>>) {
  const places = names.map(placeOf)
  const ofReviews = places.flatMap(([, second]) => second ?? [])
  yield* checkKeys(file.displayName, "", content, [
    "$schema",
    "agents",
    "mcpServers",
    "run",
    ...new Set(places.map(([first]) => first))
  ])
  const reviews = content["reviews"] ?? {}
  if (!isObject(reviews)) {
    return yield* bad(
      `reviews in ${file.displayName} is ${quoted(reviews)}: it takes an object with any of ${ofReviews.join(", ")}.`
    )
  }
  yield* checkKeys(file.displayName, "reviews.", reviews, ofReviews)
  yield* checkKeys(file.displayName, "run.", content["run"], Object.keys(RunSpec.fields))
  for (const [name, server] of Object.entries(isObject(content["mcpServers"]) ? content["mcpServers"] : {})) {
    yield* checkKeys(file.displayName, `mcpServers.${name}.`, server, mcpServerKeys)
  }
  for (const [name, agent] of Object.entries(isObject(content["agents"]) ? content["agents"] : {})) {
    yield* checkKeys(file.displayName, `agents.${name}.`, agent, Object.keys(AgentSpec.fields))
  }
})

const checkKeys = (path: string, within: string, object: unknown, validKeys: ReadonlyArray<string>) => {
  const unknownKey = isObject(object) ? Object.keys(object).find((key) => !validKeys.includes(key)) : undefined
  return unknownKey === undefined
    ? Effect.void
    : bad(
        `${within}${unknownKey} in ${path} is no setting. Did you mean ${within}${closestName(unknownKey, validKeys)}?`
      )
}

/** An agent must say what to launch, unless its protocol has a program of its own. */
const checkPrograms = Effect.fnUntraced(function* ({ agents, displayName }: ConfigurationFile) {
  for (const [name, agent] of Object.entries(agents)) {
    if (AgentDirectory.saysWhatToLaunch(agent)) continue
    return yield* bad(
      `agents.${name} in ${displayName} does not say what to launch: it takes "command" (such as ["claude-agent-acp"]) or "registry" (such as "gemini").`
    )
  }
})
