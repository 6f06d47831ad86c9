/**
 * One attempt to send an event, signed as Standard Webhooks has it: HMAC-SHA256 of id, time and body by the webhook's key.
 *
 * No redirect is followed, and of the answer only the status is looked at: a webhook can't be used to read what this machine
 * can reach. Its address is an operator's word.
 */
import { Clock, Effect } from "effect"
import { createHmac, randomBytes } from "node:crypto"
import type { WebhookRecord } from "../domain/Webhook.ts"

/** As the standard advises: a receiver stores the event and answers, and works afterwards. */
export const answerWithinMillis = 15_000

export interface WebhookAnswer {
  /** `null`: there was no answer. */
  readonly status: number | null
  /** `null`: delivered. */
  readonly error: string | null
  /** What the receiver asks for (`Retry-After`, in seconds). */
  readonly retryAfterMillis: number | null
}

const secretPrefix = "whsec_"
const keyBytes = { least: 24, made: 32, most: 64 }

export const newSecret = (): string => secretPrefix + randomBytes(keyBytes.made).toString("base64")

/** `null`: it is none. */
export const keyOf = (secret: string): Buffer | null => {
  const text = secret.startsWith(secretPrefix) ? secret.slice(secretPrefix.length) : ""
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return null
  const key = Buffer.from(text, "base64")
  return key.length >= keyBytes.least && key.length <= keyBytes.most ? key : null
}

export const headersOf = (secret: string, id: string, seconds: number, body: string) => ({
  "content-type": "application/json",
  "user-agent": "troupe",
  "webhook-id": id,
  "webhook-timestamp": String(seconds),
  "webhook-signature": `v1,${createHmac("sha256", keyOf(secret) ?? "")
    .update(`${id}.${seconds}.${body}`)
    .digest("base64")}`
})

export const postWebhook = Effect.fnUntraced(function* (
  { secret, url }: Pick<WebhookRecord, "secret" | "url">,
  { body, event }: { readonly event: string; readonly body: string }
) {
  const seconds = Math.floor((yield* Clock.currentTimeMillis) / 1000)
  const headers = headersOf(secret, event, seconds, body)
  return yield* Effect.tryPromise(async (signal): Promise<WebhookAnswer> => {
    const response = await fetch(url, { method: "POST", headers, body, redirect: "manual", signal })
    await response.body?.cancel()
    const { ok, status } = response
    const wait = Number(response.headers.get("retry-after") ?? Number.NaN)
    return {
      status,
      error: ok ? null : `it answered ${status}`,
      retryAfterMillis: Number.isFinite(wait) && wait > 0 ? wait * 1000 : null
    }
  }).pipe(
    Effect.timeoutOrElse({
      duration: answerWithinMillis,
      orElse: () => Effect.succeed(unanswered(`it did not answer within ${answerWithinMillis / 1000} s`))
    }),
    Effect.catch(({ cause }) => Effect.succeed(unanswered(reasonOf(cause))))
  )
})

const unanswered = (error: string): WebhookAnswer => ({ status: null, error, retryAfterMillis: null })

/** The reason is the innermost cause of `fetch failed`. */
const reasonOf = (error: unknown): string => {
  let cause = error
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause
  return (cause instanceof Error ? cause.message || String((cause as { code?: unknown }).code) : "no connection").slice(
    0,
    200
  )
}
