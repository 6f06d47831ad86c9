/**
 * Structured answers: a turn's final text read as JSON and checked by the JSON Schema that the turn asked for.
 *
 * The schema is an app's, so it is bounded, refers to nothing outside itself, and its patterns can't hold the process up:
 * a check that takes longer than `withinMillis` is a mismatch.
 */
import { Ajv2020 } from "ajv/dist/2020.js"
import type { ValidateFunction } from "ajv/dist/2020.js"
import { createContext, Script } from "node:vm"
import { cut } from "../domain/cut.ts"
import type { JsonRecord } from "../domain/json.ts"

export interface StructuredAnswer {
  /** The value; `null` where it does not match. */
  readonly structured: unknown
  /** Why the final text is no such value, as a sentence; `null`: it is. */
  readonly schemaMismatch: string | null
}

export const maxSchemaCharacters = 65_536
const withinMillis = 1_000
const problemCharacters = 500

/** Schemas that were compiled last: a turn's result is read more than once, and turns tend to ask for the same. */
const compiled = new Map<string, ValidateFunction>()
const maxCompiled = 32

/** Throws where the schema is none. */
const validatorOf = (schema: JsonRecord): ValidateFunction => {
  const key = JSON.stringify(schema)
  const known = compiled.get(key)
  if (known !== undefined) return known
  // An instance each: a schema with an `$id` would stay with the instance for ever.
  const validate = new Ajv2020({ strict: false, validateFormats: false, logger: false }).compile(schema)
  const oldest = compiled.size >= maxCompiled ? compiled.keys().next() : undefined
  if (oldest?.done === false) compiled.delete(oldest.value)
  compiled.set(key, validate)
  return validate
}

/** Why a schema can't be used, as the end of a sentence that begins with its name; `null`: it can. */
export const schemaProblem = (schema: JsonRecord): string | null => {
  if (JSON.stringify(schema).length > maxSchemaCharacters) {
    return `may have at most ${maxSchemaCharacters} characters as JSON.`
  }
  try {
    validatorOf(schema)
    return null
  } catch (error) {
    return `is no JSON Schema that stands alone: ${cut(error instanceof Error ? error.message : String(error), problemCharacters)}.`
  }
}

export const structuredAnswer = (schema: JsonRecord, finalText: string): StructuredAnswer => {
  const value = jsonIn(finalText)
  if (value === undefined) return mismatch("The answer is no JSON.")
  try {
    const validate = validatorOf(schema)
    if (isValid(validate, value)) return { structured: value, schemaMismatch: null }
    const [first] = validate.errors ?? []
    const place = first?.instancePath === undefined || first.instancePath === "" ? "The answer" : first.instancePath
    return mismatch(`${place} ${first?.message ?? "does not match the schema"}.`)
  } catch (error) {
    return mismatch(`The check failed: ${error instanceof Error ? error.message : String(error)}.`)
  }
}

const mismatch = (problem: string): StructuredAnswer => ({
  structured: null,
  schemaMismatch: cut(problem, problemCharacters)
})

const sandbox: { check: (() => boolean) | null } = { check: null }
const call = new Script("check()")
let context: object | null = null

/** With a deadline, which also ends a regular expression that backtracks. */
const isValid = (validate: ValidateFunction, value: unknown): boolean => {
  context ??= createContext(sandbox)
  sandbox.check = () => validate(value)
  try {
    return call.runInContext(context, { timeout: withinMillis }) === true
  } finally {
    sandbox.check = null
  }
}

/** The text itself, or the one block of code in it. `undefined`: there is no JSON. */
const jsonIn = (text: string): unknown => {
  const blocks = [...text.matchAll(/```(?:json)?\s*\n([\s\S]*?)```/g)].map(([, block]) => block ?? "")
  for (const candidate of [text, ...(blocks.length === 1 ? blocks : [])]) {
    try {
      return JSON.parse(candidate) as unknown
    } catch {
      continue
    }
  }
  return undefined
}

/** For an agent that can't be held to a schema: what it is told, after the prompt. */
export const schemaInstruction = (schema: JsonRecord): string =>
  `Answer with nothing but one JSON value that matches this JSON Schema, without a code block and without any other words:\n${JSON.stringify(schema)}`
