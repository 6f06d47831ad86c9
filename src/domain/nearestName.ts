/** Which of the known names an unknown one was meant to be: `timeoutS` is `timeout_s`, `permission` is `permissions`. */

/** `undefined`: none is close enough to be worth a guess. */
export const nearestName = (unknown: string, names: ReadonlyArray<string>): string | undefined => {
  // A name of a body may have any length, and the distance takes the product of the two.
  if (unknown.length > maxLength) return undefined
  const spelled = snakeCase(unknown)
  const closest = closestName(unknown, names)
  if (closest !== undefined && editDistance(spelled, snakeCase(closest)) <= Math.ceil(spelled.length / 3))
    return closest
  const [firstWord] = spelled.split("_")
  const sameFirstWord = names.filter((name) => snakeCase(name).split("_")[0] === firstWord)
  return sameFirstWord.length === 1 ? sameFirstWord[0] : undefined
}

/** The name with the fewest characters to change, however many these are. */
export const closestName = (unknown: string, names: ReadonlyArray<string>): string | undefined => {
  const spelled = snakeCase(unknown)
  const others = names.map((name) => ({ name, distance: editDistance(spelled, snakeCase(name)) }))
  return others.toSorted((a, b) => a.distance - b.distance)[0]?.name
}

const maxLength = 64

const snakeCase = (name: string) =>
  name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/[-. ]/g, "_")
    .toLowerCase()

/** Levenshtein's: how many characters to insert, delete or replace. */
const editDistance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[b.length]!
}
