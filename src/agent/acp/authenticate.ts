/**
 * Chooses how to log an agent in that wants `authenticate` before it opens a session (Gemini, Grok, Cursor, codex-acp).
 *
 * Only a method that needs no person is tried, and one only: the configured one, the agent's default, one whose variables
 * are set in its environment, or one that takes what a login has stored. A browser is never opened, because nobody may be
 * there to use it; a person logs in once with the agent's own program.
 */
import { at, listIn, nonEmptyTextIn, objectIn } from "../../domain/json.ts"
import type { JsonObject } from "../../domain/json.ts"
import { line } from "./sentence.ts"

/** A method that the agent offers (`authMethods` of its reply to `initialize`). */
export interface AuthMethod {
  readonly id: string
  readonly name: string
  /** The environment variables that it reads, as far as it says so. */
  readonly variables: ReadonlyArray<string>
  readonly kind: "stored" | "interactive" | "other"
}

export interface AuthOffer {
  readonly methods: ReadonlyArray<AuthMethod>
  /** The method that the agent would take itself (`_meta.defaultAuthMethodId`, Grok). */
  readonly defaultId: string | null
}

export const offerIn = (initialized: unknown): AuthOffer => ({
  methods: listIn(at(initialized, "authMethods")).flatMap((method) => methodIn(objectIn(method))),
  defaultId: nonEmptyTextIn(at(initialized, "_meta", "defaultAuthMethodId"))
})

const methodIn = (method: JsonObject): ReadonlyArray<AuthMethod> => {
  const id = nonEmptyTextIn(method["id"])
  if (id === null) return []
  const name = nonEmptyTextIn(method["name"]) ?? id
  const words = [id, name, nonEmptyTextIn(method["description"]) ?? ""].join(" ")
  return [{ id, name, variables: variablesOf(id, method, words), kind: kindOf(method, words) }]
}

/** Announced in `vars` (ACP's methods of type `env_var`), named in the description, or implied by an id or a provider. */
const variablesOf = (id: string, method: JsonObject, words: string): ReadonlyArray<string> => {
  const announced = listIn(method["vars"])
    .map(objectIn)
    .flatMap(({ name, optional }) => (optional === true ? [] : (nonEmptyTextIn(name) ?? [])))
  if (announced.length > 0) return announced
  const single = nonEmptyTextIn(method["varName"])
  if (single !== null) return [single]
  const named = words.match(/\b[A-Z][A-Z0-9]*(_[A-Z0-9]+)*_(KEY|TOKEN)\b/g)
  if (named !== null) return [...new Set(named)]
  const provider = nonEmptyTextIn(at(method, "_meta", "api-key", "provider"))
  if (provider !== null) return [`${provider.toUpperCase()}_API_KEY`]
  // `gemini-api-key`, `xai.api_key`.
  return /^[a-z0-9]+[-_.]api[-_]?key$/i.test(id)
    ? [
        id
          .replace(/[-_.]api[-_]?key$/i, "_API_KEY")
          .toUpperCase()
          .replaceAll(/[-.]/g, "_")
      ]
    : []
}

const kindOf = (method: JsonObject, words: string): AuthMethod["kind"] => {
  if (method["type"] === "terminal" || at(method, "_meta", "terminal-auth") !== undefined) return "interactive"
  if (/\b(cached|stored|saved|existing)|_token\b/i.test(words)) return "stored"
  return /browser|oauth|sign[- ]?in|log[-_ ]?in|\bsso\b|device|chat-?gpt|google|github|\w\.com\b/i.test(words)
    ? "interactive"
    : "other"
}

/** `null`: no method can be tried without a person. `configured` is the operator's choice, and is tried whatever it is. */
export const choose = (
  { defaultId, methods }: AuthOffer,
  configured: string | undefined,
  env: Readonly<Record<string, string>>
): AuthMethod | null => {
  if (configured !== undefined) return methods.find(({ id }) => id === configured) ?? null
  const hasVariables = ({ variables }: AuthMethod) => variables.every((name) => (env[name] ?? "") !== "")
  const unattended = methods.filter((method) => method.kind !== "interactive" && hasVariables(method))
  return (
    unattended.find(({ id }) => id === defaultId) ??
    unattended.find(({ variables }) => variables.length > 0) ??
    unattended.find(({ kind }) => kind === "stored") ??
    (methods.length === 1 ? (unattended[0] ?? null) : null)
  )
}

/** For a sentence: `Log in with Google (oauth-personal), Use Gemini API key (gemini-api-key, reads GEMINI_API_KEY)`. */
export const described = ({ methods }: AuthOffer): string =>
  line(
    methods
      .map(({ id, name, variables }) => {
        const reads = variables.length === 0 ? "" : `, reads ${variables.join(" and ")}`
        return name === id && reads === "" ? id : `${name} (${id}${reads})`
      })
      .join(", "),
    600
  )
