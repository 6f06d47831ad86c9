/** docs/settings.md: every setting, with its variable, flag, what it takes and what holds where nothing is set. */
import { Effect, Option } from "effect"
import { groups, meanings } from "../../src/configuration/meanings.ts"
import { load } from "../../src/configuration/Configuration.ts"
import { keys, names, placeOf, variableOf } from "../../src/configuration/keys.ts"
import type { KeyName } from "../../src/configuration/keys.ts"
import { code, table } from "./blocks.ts"

/** What the program takes where no flag, variable or file says anything. */
const defaults = await Effect.runPromise(
  load({ flags: {}, config: Option.none(), env: {}, cwd: import.meta.dirname, isTerminal: false })
)

const { reviews } = defaults
const values: Readonly<Record<string, unknown>> = {
  ...defaults.settings.limits,
  ...defaults.server,
  nodeLeaseMillis: defaults.node.leaseMillis,
  reviewMemoryInterval: reviews.intervals?.memory,
  reviewSkillInterval: reviews.intervals?.skills,
  reviewSkillTool: reviews.skillTool,
  reviewIterations: reviews.bounds?.iterations,
  reviewInputTokens: reviews.bounds?.inputTokens
}

const unsetOf = (name: KeyName): string => {
  const { unset } = meanings[name]
  if (unset !== undefined) return unset
  for (const [suffix, said] of units) {
    const value = values[`${name}${suffix}`]
    if (value === null) return code("off")
    if (value !== undefined) return code(said(value))
  }
  throw new Error(`What holds where ${name} is not set is not known: say it as \`unset\` in meanings.ts`)
}

const scales: ReadonlyArray<readonly [unit: string, millis: number]> = [
  ["days", 86_400_000],
  ["hours", 3_600_000],
  ["minutes", 60_000],
  ["seconds", 1_000]
]

/** In the largest unit of which there are more than one: `24 hours`, `90 seconds`. */
const lengthOf = (millis: number): string => {
  const [unit, scale] = scales.find(([, scale]) => millis % scale === 0 && millis > scale) ?? ["millis", 1]
  return `${millis / scale} ${unit}`
}

const units: ReadonlyArray<readonly [suffix: string, said: (value: unknown) => string]> = [
  ["Millis", (value) => lengthOf(Number(value))],
  ["Bytes", (value) => `${Number(value) / 1024 ** 2} MiB`],
  ["", String]
]

const row = (name: KeyName) => [
  code(placeOf(name).join(".")),
  code(variableOf(name)),
  meanings[name].does,
  `${keys[name].takes}${"secret" in keys[name] ? " (never printed)" : ""}`,
  unsetOf(name)
]

const tables = Object.entries(groups).map(([group, title]) =>
  [
    `### ${title}`,
    table(
      ["in the file", "variable", "what it does", "it takes", "where nothing is set"],
      names.filter((name) => meanings[name].group === group).map(row)
    )
  ].join("\n\n")
)

export const settingsBlocks = { settings: tables.join("\n\n") }
