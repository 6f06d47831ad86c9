/**
 * Removes secrets from what is shown of a child: its stderr, its command line, its errors, its lines.
 *
 * It removes the values of variables whose names look secret, those that an operator gave the child by name and that are
 * long enough to be one, and texts that have the shape of a credential. In doubt it removes.
 */

const mark = "[redacted]"

/** A shorter value is more likely a word (`1`, `true`, `stub`) than a secret, and removing it would damage texts. */
const minSecretCharacters = 6

/** The same of a value whose name does not look secret: it may be a word such as `production`. */
const minConfiguredCharacters = 12

/** A shorter beginning of a secret before a cut shows nothing of it: `sk-proj` has as many. */
const minCutCharacters = 8

const secretName =
  /(^|_)(API_?KEY|KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|PASS|PAT|PWD_HASH|CRED|CREDENTIAL|COOKIE|DSN|HEADER)S?$|PASSWORD|SECRET|PRIVATE_KEY|BEARER|WEBHOOK|^AUTH|_AUTH(_|$)|AUTHORIZATION/i

/** Names whose values are addresses, places and choices. The password in an address is removed all the same. */
const openName =
  /(^|_)(URL|URI|HOST|PORT|ENDPOINT|MODELS?|REGION|HOME|DIRS?|PATH|FILE|SOCK|LEVEL|LOG|FORMAT|MODE|VERSION|LANG|TZ)$/i

export const looksSecret = (name: string): boolean => secretName.test(name) && !/(^|_)SOCK$/i.test(name)

/**
 * The values of an environment that must never be shown, and the other forms in which they are written. Longest first, so
 * that a part of one is not removed before it. `configured`: the names that the operator gave the child.
 */
export const secretsOf = (
  env: Readonly<Record<string, string>>,
  configured: ReadonlySet<string> = new Set()
): ReadonlyArray<string> => {
  const secrets = Object.entries(env).flatMap(([name, value]) => {
    const isSecret =
      looksSecret(name) || (configured.has(name) && !openName.test(name) && value.length >= minConfiguredCharacters)
    // In the address of a proxy or a database the password alone is secret.
    return [...(isSecret ? [value] : []), ...passwordsIn(value)].flatMap(formsOf)
  })
  return longestFirst(secrets)
}

/**
 * The forms of values that are secret, whatever they look like: those that a session gave its agent. Of a header also what
 * follows the scheme, as in `Bearer …`.
 */
export const secretForms = (values: ReadonlyArray<string>): ReadonlyArray<string> => {
  const secrets = values.flatMap((value) => {
    const credentials = /^[A-Za-z]+\s+(\S{8,})\s*$/.exec(value)?.[1]
    return [value, ...passwordsIn(value), ...(credentials === undefined ? [] : [credentials])].flatMap(formsOf)
  })
  return longestFirst(secrets)
}

const longestFirst = (secrets: ReadonlyArray<string>): ReadonlyArray<string> =>
  [...new Set(secrets)].sort((a, b) => b.length - a.length)

/** What holds an environment and may have its secrets beside it. */
interface SecretSource {
  readonly env: Readonly<Record<string, string>>
  readonly secrets?: ReadonlyArray<string> | undefined
}

export const secretsIn = ({ env, secrets }: SecretSource): ReadonlyArray<string> => secrets ?? secretsOf(env)

/**
 * The value as it is, as it is within a text of JSON (as the lines of agents are), and within an address. Of several lines
 * (a private key) also each line, because a log may show one.
 */
const formsOf = (value: string): ReadonlyArray<string> => {
  const trimmed = value.trim()
  const lines = trimmed.split(/\r?\n/).filter((line) => line.length >= minConfiguredCharacters)
  return [value, trimmed, ...lines]
    .flatMap((form) => {
      const inJson = JSON.stringify(form.toWellFormed()).slice(1, -1)
      const inAscii = inJson.replaceAll(
        /[\u0080-\uffff]/g,
        (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
      )
      return [form, inJson, inAscii, encodeURIComponent(form.toWellFormed())]
    })
    .filter((form) => form.length >= minSecretCharacters)
}

const passwordsIn = (value: string): ReadonlyArray<string> => {
  const password = /^[a-z][a-z0-9+.-]*:\/\/[^/\s:@]*:([^/\s@]+)@/i.exec(value)?.[1]
  return password === undefined ? [] : [password]
}

/** Credentials by their shape. What precedes the secret is left, so that the reader knows what was removed. */
const shapes: ReadonlyArray<readonly [RegExp, string]> = [
  // scheme://user:password@host, and scheme://token@host
  [/\b([a-z][a-z0-9+.-]{0,30}:\/\/)[^/\s@"'<>]{1,500}@/gi, `$1${mark}@`],
  [/\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{6,}/gi, `$1 ${mark}`],
  [
    /(?<![A-Za-z0-9])((?:x-)?api[-_]?key|authorization|password|passwd|secret|(?:access|refresh|id|auth)[-_]?token)(\\?["']?\s*[:=]\s*\\?["']?)(?!\[redacted\]|Bearer\b|Basic\b)[^\s"',;&}\\]{4,}/gi,
    `$1$2${mark}`
  ],
  // A line of an environment: NAME_TOKEN=value
  [/\b([A-Z][A-Z0-9_]{0,60}(?:TOKEN|SECRET|KEY|PASSWORD|PASSWD)=["']?)(?!\[redacted\])[^\s"',;&}\\]{6,}/g, `$1${mark}`],
  // OpenAI and Anthropic keys, Troupe's own, GitHub's, Slack's, AWS access ids, Google's
  [/\b(?:sk|pk|rk|trp|ghp|gho|ghu|ghs|ghr|github_pat|glpat|xox[abeprs]|xapp)[-_][A-Za-z0-9_-]{8,}/g, mark],
  [/\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g, mark],
  [/\bAIza[0-9A-Za-z_-]{30,}/g, mark],
  [/\bya29\.[0-9A-Za-z_-]{20,}/g, mark],
  // Groq, Hugging Face, xAI, Perplexity, Replicate, Tavily, Fireworks, npm, PyPI
  [/\b(?:gsk|hf|xai|pplx|r8|tvly|fw|npm|pypi)[-_][A-Za-z0-9_-]{20,}/g, mark],
  // JSON Web Tokens
  [/\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*/g, mark],
  // A private key: to its end, or to the end of a text that was cut
  [/-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----(?:[^-]|-(?!----END))*(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?/g, mark]
]

/** The text without its secrets. `secrets` are known values, as `secretsOf` gives them. */
export const redact = (text: string, secrets: ReadonlyArray<string> = []): string => {
  let redacted = withoutCutSecrets(withoutValues(text, secrets), secrets)
  for (const [shape, replacement] of shapes) redacted = redacted.replace(shape, replacement)
  return redacted
}

/** The text without these values, and otherwise unchanged. */
export const withoutValues = (text: string, values: ReadonlyArray<string>): string => {
  let clean = text
  for (const value of values) clean = clean.replaceAll(value, mark)
  return clean
}

/** How many cuts of a text are looked at. More are the agent's own dots. */
const maxCuts = 32

/** Removes the beginning of a secret where a text was cut: at its end, and before `…`. */
const withoutCutSecrets = (text: string, secrets: ReadonlyArray<string>): string => {
  let clean = text
  // From the end, so that a removal moves no cut that is still to be looked at.
  for (let cut = text.length, looked = 0; cut > 0 && looked < maxCuts; looked += 1) {
    const length = Math.max(0, ...secrets.map((secret) => lengthOfBeginning(clean, cut, secret)))
    if (length > 0) clean = `${clean.slice(0, cut - length)}${mark}${clean.slice(cut)}`
    cut = clean.lastIndexOf("…", cut - 1)
  }
  return clean
}

/** How many characters before `cut` are the beginning of the secret; 0: too few. */
const lengthOfBeginning = (text: string, cut: number, secret: string): number => {
  for (let length = Math.min(secret.length - 1, cut); length >= minCutCharacters; length -= 1) {
    if (text.startsWith(secret.slice(0, length), cut - length)) return length
  }
  return 0
}

/** Deeper than any error: what is nested deeper is left out. */
const maxDepth = 64

/** The JSON value with each of its texts and keys changed. */
export const mapTexts = (value: unknown, change: (text: string) => string, depth = 0): unknown => {
  if (typeof value === "string") return change(value)
  if (typeof value !== "object" || value === null) return value
  if (depth >= maxDepth) return "…"
  return Array.isArray(value)
    ? value.map((member) => mapTexts(member, change, depth + 1))
    : Object.fromEntries(
        Object.entries(value).map(([key, member]) => [change(key), mapTexts(member, change, depth + 1)])
      )
}
