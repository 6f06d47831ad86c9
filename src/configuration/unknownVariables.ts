/** Variables that look like settings of Troupe's and are none: a limit that is spelt wrong would not hold, and nothing said so. */
import { nearestName } from "../domain/nearestName.ts"
import { quoted } from "./BadConfiguration.ts"
import { names, variableOf } from "./keys.ts"

const prefix = "TROUPE_"

/** What single commands read; and what Troupe gives to processes that it starts, from which it may be started again. */
const others = [
  "TROUPE_URL",
  "TROUPE_TOKEN",
  "TROUPE_WEBHOOK_SECRET",
  "TROUPE_LEASE",
  "TROUPE_DEMO_START",
  "TROUPE_DEMO_STATE"
]

/** A sentence for each. An empty one counts as none. */
export const unknownVariables = (env: Readonly<Record<string, string | undefined>>): ReadonlyArray<string> => {
  const known = [...names.map(variableOf), ...others]
  return Object.keys(env)
    .filter((name) => name.startsWith(prefix) && env[name] !== "" && !known.includes(name))
    .toSorted()
    .map((name) => {
      const meant = nearestName(
        name.slice(prefix.length),
        known.map((each) => each.slice(prefix.length))
      )
      const shown = /^\w+$/.test(name) ? name : quoted(name)
      return `${shown} is no setting, and is ignored.${meant === undefined ? "" : ` Did you mean ${prefix}${meant}?`}`
    })
}
