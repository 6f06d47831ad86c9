/**
 * Encrypts the caller's own credential, with an expiry time, for the dashboard's cookie and its tickets.
 *
 * AES-256-GCM under a key derived from the admin token. No state is kept here, so a login outlives a restart, and a new
 * admin token ends all logins. The caller of `decrypt` checks whether the credential is still valid.
 */
import { Option, Redacted, Schema } from "effect"
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto"

/** `token`: an app's; `null` where the admin has logged in, whose token need not travel. `until`: milliseconds. */
const Credential = Schema.Struct({ until: Schema.Finite, token: Schema.NullOr(Schema.String) })
export type Credential = typeof Credential.Type

export interface CredentialCipher {
  readonly encrypt: (credential: Credential) => string
  /** `None`: encrypted under another key, modified, or expired at `now`. */
  readonly decrypt: (text: string, now: number) => Option.Option<Credential>
}

const algorithm = "aes-256-gcm"
const ivBytes = 12
const tagBytes = 16
/** Longer than the ciphertext of any token. */
const mostChars = 2_048

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(Credential))

export const make = (key: Redacted.Redacted<Uint8Array>): CredentialCipher => ({
  encrypt: (credential) => {
    const iv = randomBytes(ivBytes)
    const encrypting = createCipheriv(algorithm, Redacted.value(key), iv)
    const text = Buffer.concat([encrypting.update(JSON.stringify(credential), "utf8"), encrypting.final()])
    return Buffer.concat([iv, encrypting.getAuthTag(), text]).toString("base64url")
  },
  decrypt: (text, now) => {
    const bytes = Buffer.from(text.slice(0, mostChars), "base64url")
    if (bytes.length <= ivBytes + tagBytes) return Option.none()
    const decrypting = createDecipheriv(algorithm, Redacted.value(key), bytes.subarray(0, ivBytes), {
      authTagLength: tagBytes
    })
    decrypting.setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes))
    try {
      const plain = Buffer.concat([decrypting.update(bytes.subarray(ivBytes + tagBytes)), decrypting.final()])
      return Option.filter(decode(plain.toString("utf8")), ({ until }) => now < until)
    } catch {
      return Option.none()
    }
  }
})
