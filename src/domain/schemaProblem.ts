/**
 * What is wrong with a value that does not fit its schema, for the person who sent it: the path of each field, what is
 * wrong with it, and which field an unknown one may be meant to be. HTTP and the library use the same words.
 */
import { SchemaAST, SchemaIssue } from "effect"
import { cut } from "./cut.ts"
import { nearestName } from "./nearestName.ts"

export interface SchemaProblemWords {
  /** Names the value as a whole, such as `The body`. */
  readonly whole: string
  /** What one of its keys is called: `field`, `parameter`, `option`. */
  readonly member: string
}

const issuesShown = 5
const messageLength = 200
const keyLength = 64
/** Of an unknown key that is like none of them. */
const namesShown = 16
const notJson = "must be JSON"
const unknownKey = "is unknown"

/** The sentences of all issues, ending with a full stop. */
export const schemaProblem = (issue: SchemaIssue.Issue, { member, whole }: SchemaProblemWords): string => {
  /** Of each unknown key, in the order of the issues: the formatter gives its hook no path, and its issue no schema. */
  const namesInstead: Array<ReadonlyArray<string>> = []
  const format = SchemaIssue.makeFormatterStandardSchemaV1({
    leafHook: (leaf) => {
      if (leaf._tag === "UnexpectedKey") {
        namesInstead.push(namesOf(leaf.ast))
        return unknownKey
      }
      const message = SchemaIssue.defaultLeafHook(leaf)
      if (leaf._tag === "MissingKey") return message.replace("Missing key", "is missing")
      return message.replace("Expected a valid JSON body", notJson).replace("Expected", "must be")
    }
  })
  const { issues } = format(issue)
  const sentences = issues.slice(0, issuesShown).map(({ message, path = [] }) => {
    const keys = path.map((segment) => (typeof segment === "object" ? segment.key : segment))
    const field = keys.reduce(fieldWithin, "")
    if (message === unknownKey) {
      return `${field} ${unknownProblem(String(keys.at(-1)), namesInstead.shift() ?? [], member)}`
    }
    if (field === "" && message !== notJson) return `${whole} must be a JSON object`
    const text = message.replace(/^Expected/, "must be")
    return `${field === "" ? whole : field} ${text.length > messageLength ? `${cut(text, messageLength)}…` : text}`
  })
  const more = issues.length > issuesShown ? [`and ${issues.length - issuesShown} more`] : []
  return `${[...sentences, ...more].join("; ")}.`
}

const namesOf = (ast: SchemaAST.AST): ReadonlyArray<string> =>
  SchemaAST.isObjects(ast) ? ast.propertySignatures.map(({ name }) => String(name)) : []

/** Of a key that no schema has seen: its name as it can be shown, and what to say of it. */
export const unknownMember = (key: string, names: ReadonlyArray<string>, member: string) => ({
  field: shownKey(key),
  problem: `${unknownProblem(key, names, member)}.`
})

/** Completes a sentence that begins with the key. */
const unknownProblem = (key: string, names: ReadonlyArray<string>, member: string): string => {
  const problem = `is not a known ${member}`
  const nearest = nearestName(key, names)
  if (nearest !== undefined) return `${problem} (did you mean \`${nearest}\`?)`
  return names.length === 0 || names.length > namesShown ? problem : `${problem} (known: ${names.join(", ")})`
}

const fieldWithin = (field: string, key: PropertyKey): string => {
  if (typeof key === "number") return `${field}[${key}]`
  const name = shownKey(String(key))
  return field === "" ? name : `${field}.${name}`
}

/** A key may be any text of a request. */
export const shownKey = (key: string): string =>
  key.length <= keyLength && /^[\w$-]+$/.test(key) ? key : JSON.stringify(cut(key, keyLength))
