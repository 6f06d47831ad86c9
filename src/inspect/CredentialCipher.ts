/**
 * What the dashboard's cookie holds: the caller's own credential, encrypted, with an end.
 *
 * AES-256-GCM under a key that comes from the admin token: nothing is kept here, so a login outlives a restart, and a
 * new admin token ends all of them. Who opens a seal asks whether the credential in it is still good.
 */
import { Option, Redacted, Schema } from "effect"
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto"

/** An app's token; or that the admin has logged in, whose token need not travel. */
const Sealed = Schema.Struct({ until: Schema.Finite, token: Schema.NullOr(Schema.String) })
export type Sealed = typeof Sealed.Type

export interface Seal {
  readonly close: (sealed: Sealed) => string
  /** `None`: not of this key, changed on its way, or over at `now`. */
  readonly open: (text: string, now: number) => Option.Option<Sealed>
}

const cipher = "aes-256-gcm"
const ivBytes = 12
const tagBytes = 16
/** Longer than any token is. */
const longest = 2_048

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(Sealed))

export const make = (key: Redacted.Redacted<Uint8Array>): Seal => ({
  close: (sealed) => {
    const iv = randomBytes(ivBytes)
    const closing = createCipheriv(cipher, Redacted.value(key), iv)
    const text = Buffer.concat([closing.update(JSON.stringify(sealed), "utf8"), closing.final()])
    return Buffer.concat([iv, closing.getAuthTag(), text]).toString("base64url")
  },
  open: (text, now) => {
    const bytes = Buffer.from(text.slice(0, longest), "base64url")
    if (bytes.length <= ivBytes + tagBytes) return Option.none()
    const opening = createDecipheriv(cipher, Redacted.value(key), bytes.subarray(0, ivBytes), {
      authTagLength: tagBytes
    })
    opening.setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes))
    try {
      const opened = Buffer.concat([opening.update(bytes.subarray(ivBytes + tagBytes)), opening.final()])
      return Option.filter(decode(opened.toString("utf8")), ({ until }) => now < until)
    } catch {
      return Option.none()
    }
  }
})
