/** When an event of a webhook is tried again, and when it is given up. */
import { assert, describe, it } from "@effect/vitest"
import { createHmac } from "node:crypto"
import { headersOf, keyOf, newSecret } from "../../src/services/postWebhook.ts"
import { nextAttempt, retryMillis } from "../../src/services/WebhookSender.ts"

describe("attempts of a webhook", () => {
  it("come less and less often, for more than a day, and end", () => {
    const waits = retryMillis.map((_, attempts) => nextAttempt(attempts, { retryAfterMillis: null }, 0))
    assert.deepStrictEqual(waits, retryMillis)
    assert.isAbove(
      retryMillis.reduce((sum, millis) => sum + millis, 0),
      86_400_000
    )
    assert.isNull(nextAttempt(retryMillis.length, { retryAfterMillis: null }, 0))
    assert.isNull(nextAttempt(retryMillis.length, { retryAfterMillis: 1 }, 0))
  })

  it("wait as long as the receiver asks, up to a day, and a little longer by chance", () => {
    assert.strictEqual(nextAttempt(0, { retryAfterMillis: 90_000 }, 0.5), 90_000)
    assert.strictEqual(nextAttempt(0, { retryAfterMillis: 1 }, 0.5), 2_200)
    assert.strictEqual(nextAttempt(0, { retryAfterMillis: Number.MAX_SAFE_INTEGER }, 0), 86_400_000)
  })

  it("are signed by the key of the secret, which has 24 to 64 bytes", () => {
    const secret = newSecret()
    assert.lengthOf(keyOf(secret)!, 32)
    const { "webhook-signature": signature } = headersOf(secret, "evt_1", 7, "{}")
    const key = Buffer.from(secret.slice("whsec_".length), "base64")
    assert.strictEqual(signature, `v1,${createHmac("sha256", key).update("evt_1.7.{}").digest("base64")}`)
    for (const wrong of ["", "whsec_", "whsec_!!", "abc", `whsec_${"A".repeat(20)}`, `whsec_${"A".repeat(200)}`]) {
      assert.isNull(keyOf(wrong), wrong)
    }
  })
})
