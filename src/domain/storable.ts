/**
 * What Troupe takes from others and stores: JSON of bounded depth whose texts are Unicode and have no NUL.
 *
 * Measured with Node 24: `JSON.parse` reads 100,000 levels, `JSON.stringify` and the schemas throw from a few thousand,
 * and SQLite's JSON functions stop at 1,000. Half of a surrogate pair becomes U+FFFD in SQLite, and codex, Python and Go
 * refuse the whole text. PostgreSQL and command lines refuse NUL. So all of this is refused where it comes in: what is
 * stored can be read back. Nothing here goes down further than what it allows.
 */

/** Levels of arrays and objects within a field. No reader of Troupe stops before. */
export const maxDepth = 100

/** Of an app's `meta`, as JSON: it comes with every list of sessions. */
export const maxMetaCharacters = 64 * 1024

export interface StorableProblem {
  /** The name on the wire, such as `meta.tags[0]`. */
  readonly field: string
  /** Completes a sentence that begins with the field. */
  readonly problem: string
}

interface Visit {
  readonly value: unknown
  readonly name: string
  readonly depth: number
}

/** The first problem of these fields, by their names on the wire; `null` where they can be stored. */
export const storableProblem = (fields: Readonly<Record<string, unknown>>): StorableProblem | null => {
  for (const [field, value] of Object.entries(fields)) {
    const problem = problemIn(field, value)
    if (problem !== null) return problem
  }
  return null
}

const problemIn = (field: string, root: unknown): StorableProblem | null => {
  const left: Array<Visit> = [{ value: root, name: field, depth: 1 }]
  for (let visit = left.pop(); visit !== undefined; visit = left.pop()) {
    const { depth, name, value } = visit
    if (typeof value === "string") {
      const problem = textProblem(value)
      if (problem !== null) return { field: name, problem }
    } else if (typeof value === "object" && value !== null) {
      if (depth > maxDepth) return { field, problem: `nests deeper than ${maxDepth} levels.` }
      const isList = Array.isArray(value)
      for (const [key, member] of Object.entries(value)) {
        if (!isList && textProblem(key) !== null) return { field: name, problem: `has a key that ${textProblem(key)}` }
        if (typeof member !== "string" && (typeof member !== "object" || member === null)) continue
        left.push({ value: member, name: nameOf(name, key, isList), depth: depth + 1 })
      }
    }
  }
  return null
}

/** Long names end in `…`: the depth of a value must not make its name long. */
const nameOf = (name: string, key: string, isList: boolean) =>
  name.length > 200 ? (name.endsWith("…") ? name : `${name}…`) : isList ? `${name}[${key}]` : `${name}.${key}`

/** Completes a sentence that begins with the text's name; `null`: it can be stored. */
export const textProblem = (text: string): string | null => {
  if (!text.isWellFormed()) return "must be Unicode: it has half of a surrogate pair."
  return text.includes("\0") ? "may not contain the character NUL (U+0000)." : null
}

/** Whether a value nests deeper than that. Goes no deeper itself, also into what was parsed from 100,000 levels. */
export const isDeeperThan = (value: unknown, levels: number): boolean => {
  if (typeof value !== "object" || value === null) return false
  if (levels === 0) return true
  if (Array.isArray(value)) {
    for (const member of value) if (isDeeperThan(member, levels - 1)) return true
    return false
  }
  for (const key in value) if (isDeeperThan((value as Record<string, unknown>)[key], levels - 1)) return true
  return false
}
