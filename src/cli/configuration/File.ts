/**
 * `troupe.config.json`: read, and held to what it may say.
 *
 * An unknown key is refused: a limit that was misspelt is a limit that is not there. The agents and `run` are objects
 * and are decoded here; the single values are read with those of the environment and the flags.
 */
import { Effect, Result, Schema, SchemaIssue } from "effect"
import { readFile } from "node:fs/promises"
import { resolve } from "node:path"
import { AgentSpec, RunSpec } from "../../domain/Settings.ts"
import { BadConfiguration, quoted } from "./BadConfiguration.ts"
import { names, placeOf } from "./keys.ts"
import type { KeyName } from "./keys.ts"

export interface ConfigurationFile {
  readonly path: string
  /** The same as its reader names it, for errors. */
  readonly shown: string
  /** The single values, by their names, wherever they stand in the file. */
  readonly values: { readonly [K in KeyName]?: unknown }
  readonly agents: Readonly<Record<string, AgentSpec>>
  readonly run: RunSpec
}

export const defaultName = "troupe.config.json"

/** `named` is what `--config` says. Without it the default one in `cwd` is read, which need not exist. */
export const read = Effect.fnUntraced(function* (named: string | null, cwd: string) {
  const shown = named ?? defaultName
  const path = resolve(cwd, shown)
  const text = yield* Effect.tryPromise({
    try: () => readFile(path, "utf8"),
    catch: (cause) => cause as NodeJS.ErrnoException
  }).pipe(
    Effect.catch((cause) =>
      named === null && cause.code === "ENOENT"
        ? Effect.succeed("{}")
        : bad(`The configuration file ${shown} can't be read: ${cause.message}`)
    )
  )
  const content = yield* parse(shown, text)
  const file: ConfigurationFile = {
    path,
    shown,
    values: valuesOf(content),
    agents: yield* decode(shown, "agents", decodeAgents(content["agents"] ?? {})),
    run: yield* decode(shown, "run", decodeRun(content["run"] ?? {}))
  }
  yield* refuseUnknown(file, content)
  yield* refuseAgentsWithoutProgram(file)
  return file
})

const decodeAgents = Schema.decodeUnknownResult(Schema.Record(Schema.NonEmptyString, AgentSpec), { reportInput: true })
const decodeRun = Schema.decodeUnknownResult(RunSpec, { reportInput: true })

const bad = (problem: string) => Effect.fail(new BadConfiguration({ problem }))

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const valuesOf = (content: Readonly<Record<string, unknown>>): ConfigurationFile["values"] =>
  Object.fromEntries(
    names.map((name) => {
      const [first, second] = placeOf(name)
      const there = content[first]
      return [name, second === undefined ? there : isObject(there) ? there[second] : undefined]
    })
  )

const parse = Effect.fnUntraced(function* (path: string, text: string) {
  const content = yield* Effect.try({
    try: (): unknown => JSON.parse(text),
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
      // What stands in an `env` may be a secret; it is wrong in one way only.
      const problem = at.includes("env") ? "it takes text" : (first?.message ?? "it is not understood")
      return bad(`${at.join(".")} in ${path}: ${problem.replace(/\s+/g, " ")}.`)
    }
  })

const refuseUnknown = Effect.fnUntraced(function* (
  file: ConfigurationFile,
  content: Readonly<Record<string, unknown>>
) {
  const places = names.map(placeOf)
  const ofReviews = places.flatMap(([, second]) => second ?? [])
  yield* known(file.shown, "", content, ["$schema", "agents", "run", ...new Set(places.map(([first]) => first))])
  const reviews = content["reviews"] ?? {}
  if (!isObject(reviews)) {
    return yield* bad(
      `reviews in ${file.shown} is ${quoted(reviews)}: it takes an object with any of ${ofReviews.join(", ")}.`
    )
  }
  yield* known(file.shown, "reviews.", reviews, ofReviews)
  yield* known(file.shown, "run.", content["run"], Object.keys(RunSpec.fields))
  for (const [name, agent] of Object.entries(isObject(content["agents"]) ? content["agents"] : {})) {
    yield* known(file.shown, `agents.${name}.`, agent, Object.keys(AgentSpec.fields))
  }
})

const known = (path: string, within: string, object: unknown, taken: ReadonlyArray<string>) => {
  const stranger = isObject(object) ? Object.keys(object).find((key) => !taken.includes(key)) : undefined
  return stranger === undefined
    ? Effect.void
    : bad(`${within}${stranger} in ${path} is no setting. Did you mean ${within}${nearest(stranger, taken)}?`)
}

/** Codex has one way to be started; what the other protocols start has to be said. */
const refuseAgentsWithoutProgram = Effect.fnUntraced(function* ({ agents, shown }: ConfigurationFile) {
  for (const [name, agent] of Object.entries(agents)) {
    if (agent.protocol === "codex-app-server" || agent.command !== undefined || agent.registry !== undefined) continue
    return yield* bad(
      `agents.${name} in ${shown} does not say what to launch: it takes "command" (such as ["claude-agent-acp"]) or "registry" (such as "gemini").`
    )
  }
})

/** The one with the fewest letters to change; case does not count. */
export const nearest = (word: string, among: ReadonlyArray<string>): string => {
  const ranked = among.map((other) => [distance(word.toLowerCase(), other.toLowerCase()), other] as const)
  return ranked.reduce((best, next) => (next[0] < best[0] ? next : best))[1]
}

/** Levenshtein's, row by row. */
const distance = (a: string, b: string): number => {
  let above = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (const [row, envelope] of [...a].entries()) {
    const current = [row + 1]
    for (let column = 1; column <= b.length; column++) {
      const changed = above[column - 1]! + (b[column - 1] === envelope ? 0 : 1)
      current.push(Math.min(changed, above[column]! + 1, current[column - 1]! + 1))
    }
    above = current
  }
  return above[b.length]!
}
