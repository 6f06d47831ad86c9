/** What a turn's submission is recognised by where it comes again: its app's name for it, or one of Troupe's own. */
import { Effect } from "effect"
import { createHash } from "node:crypto"
import { newSubmissionId } from "../domain/Ids.ts"
import { InvalidRequest } from "../domain/Refusal.ts"
import { checkStorable } from "./checkStorable.ts"
import type { SubmitTurn } from "./Sessions.ts"

/** Characters of a name, as of an `Idempotency-Key`. */
const longestName = 255

export const checkSubmission = Effect.fnUntraced(function* ({ id }: NonNullable<SubmitTurn["submission"]>) {
  if (id.length === 0 || id.length > longestName) {
    const problem = `must have 1 to ${longestName} characters.`
    return yield* new InvalidRequest({ field: "idempotencyKey", problem })
  }
  yield* checkStorable({ idempotencyKey: id })
})

/** One that has a name may have come before. */
export const named = (name: NonNullable<SubmitTurn["submission"]>) => ({ name, mayBeKnown: true })

/**
 * One that its app has not named can't have come before. It gets a name of Troupe's where it may be sent to a second node, because
 * the answer of the first is lost. A node that works alone sends nothing twice: its turns have no name, and no place in an index.
 */
export const unnamed = (isAlone: boolean) => (isAlone ? {} : { name: { id: newSubmissionId(), fingerprint: null } })

/** The turn that repeats one that did not work: there is one of it. */
export const resendOf = (turn: number): NonNullable<SubmitTurn["submission"]> => ({
  id: `troupe:resend:${turn}`,
  fingerprint: `resend ${turn}`
})

/** The name of a request in this process: the same one is the same JSON. */
export const submissionOf = (id: string | undefined, request: Omit<SubmitTurn, "submission">) =>
  id === undefined ? undefined : { id, fingerprint: createHash("sha256").update(JSON.stringify(request)).digest("hex") }
