/**
 * Calls between nodes are signed with the secret that all of them have: an HMAC of the time and the body, which is good
 * for as long as clocks of nodes may differ. It keeps the content from nobody who listens: that is for the network.
 */
import { Redacted } from "effect"
import { createHmac, timingSafeEqual } from "node:crypto"

export const signatureHeader = "x-troupe-signature"

/** Of a signature: how far the clocks of two nodes, and a call on its way, may be apart. */
const goodForMillis = 30_000

const hmac = (secret: Redacted.Redacted<string>, at: number, body: string) =>
  createHmac("sha256", Redacted.value(secret)).update(`${at}\n`).update(body)

/** `<milliseconds since 1970>.<HMAC-SHA256 as hex>` */
export const sign = (secret: Redacted.Redacted<string>, at: number, body: string): string =>
  `${at}.${hmac(secret, at, body).digest("hex")}`

export const isSigned = (
  secret: Redacted.Redacted<string>,
  now: number,
  body: string,
  signature: string | undefined
): boolean => {
  const [, time = "", digest = ""] = /^(\d{1,15})\.([0-9a-f]{64})$/.exec(signature ?? "") ?? []
  const at = Number(time)
  const expected = hmac(secret, at, body).digest()
  const given = Buffer.from(digest, "hex")
  return given.length === expected.length && timingSafeEqual(given, expected) && Math.abs(now - at) <= goodForMillis
}
