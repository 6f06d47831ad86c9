/**
 * Removes secrets from what is shown of a child: its stderr, its command line, its errors.
 *
 * It removes the values of variables whose names look secret, and texts that have the shape of a credential. In doubt it
 * removes.
 */

const mark = "[redacted]"

/** A shorter value is more likely a word (`1`, `true`, `stub`) than a secret, and removing it would damage texts. */
const minSecretCharacters = 6

const secretName =
  /(^|_)(API_?KEY|KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|PWD_HASH|CREDENTIALS?|COOKIE|DSN)S?$|PASSWORD|SECRET|^AUTH|_AUTH(_|$)|AUTHORIZATION/i

export const looksSecret = (name: string): boolean => secretName.test(name)

/** The values of an environment that must never be shown. Longest first, so that a part of one is not removed before it. */
export const secretsOf = (env: Readonly<Record<string, string>>): ReadonlyArray<string> =>
  Object.entries(env)
    .flatMap(([name, value]) => [
      ...(looksSecret(name) && value.length >= minSecretCharacters ? [value] : []),
      // In the address of a proxy or a database the password alone is secret.
      ...passwordsIn(value)
    ])
    .sort((a, b) => b.length - a.length)

const passwordsIn = (value: string): ReadonlyArray<string> => {
  const password = /^[a-z][a-z0-9+.-]*:\/\/[^/\s:@]*:([^/\s@]+)@/i.exec(value)?.[1]
  return password !== undefined && password.length >= minSecretCharacters ? [password] : []
}

/** Credentials by their shape. What precedes the secret is left, so that the reader knows what was removed. */
const shapes: ReadonlyArray<readonly [RegExp, string]> = [
  // scheme://user:password@host, and scheme://token@host
  [/\b([a-z][a-z0-9+.-]{0,30}:\/\/)[^/\s@"'<>]{1,500}@/gi, `$1${mark}@`],
  [/\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{6,}/gi, `$1 ${mark}`],
  [
    /\b((?:x-)?api[-_]?key|authorization|password|passwd|secret|(?:access|refresh|id|auth)[-_]?token)(["']?\s*[:=]\s*["']?)(?!\[redacted\]|Bearer\b|Basic\b)[^\s"',;&}]{4,}/gi,
    `$1$2${mark}`
  ],
  // OpenAI and Anthropic keys, Troupe's own, GitHub's, Slack's, AWS access ids, Google's
  [/\b(?:sk|pk|rk|trp|ghp|gho|ghu|ghs|ghr|github_pat|glpat|xox[abprs])[-_][A-Za-z0-9_-]{8,}/g, mark],
  [/\bAKIA[0-9A-Z]{16}\b/g, mark],
  [/\bAIza[0-9A-Za-z_-]{30,}/g, mark],
  // JSON Web Tokens
  [/\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*/g, mark]
]

/** The text without its secrets. `secrets` are known values, as `secretsOf` gives them. */
export const redact = (text: string, secrets: ReadonlyArray<string> = []): string => {
  let redacted = text
  for (const secret of secrets) redacted = redacted.replaceAll(secret, mark)
  for (const [shape, replacement] of shapes) redacted = redacted.replace(shape, replacement)
  return redacted
}
