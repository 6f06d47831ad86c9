/** What waits for a person as an interrupt of the protocol, and the answer to one as a decision. */
import type { SessionBackend } from "../../backend/Backend.ts"
import { TroupeError } from "../../backend/TroupeError.ts"
import { objectIn } from "../../domain/json.ts"
import type { JsonObject } from "../../domain/json.ts"
import type { TroupeParams } from "../../domain/events/troupeMessage.ts"
import type { Answers, QuestionField } from "../../domain/Question.ts"
import { isAsSettled } from "../asSettled.ts"
import type { Answered } from "../asSettled.ts"
import { invalid } from "./errors.ts"
import type { Resumed } from "./input.ts"

/** The approval's id and its turn, so that the run that answers finds where the one before has stopped. */
export const interruptIdOf = (approval: string, turn: number): string => `${approval}.${turn}`

const idForm = /^(apr_[A-Za-z0-9_-]{8,64})\.([1-9]\d{0,8})$/

interface Asked {
  readonly approval: string
  readonly turn: number
}

const askedIn = (interruptId: string): Asked => {
  const [, approval, turn] = idForm.exec(interruptId) ?? []
  if (approval === undefined) throw unknownInterrupt(interruptId)
  return { approval, turn: Number(turn) }
}

export const unknownInterrupt = (id: string) =>
  new TroupeError({
    code: "approval_not_found",
    status: 404,
    message: `No run of this thread has stopped with the interrupt ${JSON.stringify(id)}.`
  })

/** `toolCallId`: of the call that the client was shown; `null`: of none. */
export const interruptOf = (
  asked: TroupeParams["approval_asked"],
  turn: number,
  toolCallId: string | null
): JsonObject => {
  const { approval_id, deadline_at, fields = null, kind, title } = asked
  return {
    id: interruptIdOf(approval_id, turn),
    reason: fields !== null ? "input_required" : toolCallId === null ? "confirmation" : "tool_call",
    message: title,
    ...(toolCallId === null ? {} : { toolCallId }),
    responseSchema: fields === null ? permissionSchema : schemaOf(fields),
    expiresAt: new Date(deadline_at * 1000).toISOString(),
    metadata: { approvalId: approval_id, kind }
  }
}

const permissionSchema = {
  type: "object",
  properties: {
    approved: { type: "boolean", title: "Approve" },
    scope: {
      type: "string",
      enum: ["once", "session"],
      default: "once",
      description: "session: the same is not asked again, as long as the agent's process runs."
    }
  },
  required: ["approved"]
}

const schemaOf = (fields: ReadonlyArray<QuestionField>) => ({
  type: "object",
  properties: Object.fromEntries(fields.map((field) => [field.id, propertyOf(field)])),
  required: fields.filter(({ required }) => required).map(({ id }) => id),
  additionalProperties: false
})

const propertyOf = ({ description, label, options = [], other = false, secret = false, type }: QuestionField) => {
  const shown = {
    title: label,
    ...(description === undefined ? {} : { description }),
    ...(secret ? { writeOnly: true } : {})
  }
  const values = options.map(({ label: title, value }) => ({ const: value, title }))
  const choice = {
    type: "string",
    ...(values.length === 0 ? {} : other ? { examples: options.map(({ value }) => value) } : { oneOf: values })
  }
  switch (type) {
    case "text":
      return { type: "string", ...shown }
    case "number":
    case "boolean":
      return { type, ...shown }
    case "choice":
      return { ...choice, ...shown }
    case "choices":
      return { type: "array", items: choice, uniqueItems: true, ...shown }
  }
}

/** `isQuestion`: it has fields; `null`: it waits no longer, and its answer says which it was. */
export const decisionOf = ({ interruptId, isCancelled, payload }: Resumed, isQuestion: boolean | null): Answered => {
  if (isCancelled) return { decision: "deny" }
  const { approved, scope = "once" } = objectIn(payload)
  const isAnswer = isQuestion ?? typeof approved !== "boolean"
  if (isAnswer) return { decision: "once", answers: objectIn(payload) as Answers }
  const at = `The payload for ${interruptId}`
  if (typeof approved !== "boolean") throw invalid(at, "must have approved: true or false.")
  if (scope !== "once" && scope !== "session") throw invalid(at, "may have a scope of once or session.")
  return { decision: approved ? scope : "deny" }
}

/** Of the interrupts that a run resumes: what was wished, by approval, to be held against what was settled. */
export type Wished = ReadonlyMap<string, Answered & Pick<Resumed, "isCancelled">>

/** The turn that has stopped with them. */
export const turnIn = (resume: ReadonlyArray<Resumed>): number => {
  const [turn, other] = new Set(resume.map(({ interruptId }) => askedIn(interruptId).turn))
  if (turn === undefined || other !== undefined) throw invalid("resume", "must have interrupts of one run.")
  return turn
}

/** Answers those that still wait. One that was settled before is no fault yet: the same answer may have come before. */
export const answerAll = async (session: SessionBackend, resume: ReadonlyArray<Resumed>): Promise<Wished> => {
  const pending = new Map((await session.approvals()).map((approval) => [approval.id, approval]))
  const asked = resume.map((entry) => {
    const { approval, turn } = askedIn(entry.interruptId)
    const open = pending.get(approval)
    if (open !== undefined && open.turn !== turn) throw unknownInterrupt(entry.interruptId)
    const decided = decisionOf(entry, open === undefined ? null : open.fields !== null)
    return { approval, decided, entry }
  })
  for (const { approval, decided, entry } of asked) {
    await session.answer(approval, decided.decision, decided.answers).catch((error: unknown) => {
      if (error instanceof TroupeError && error.status === 404) throw unknownInterrupt(entry.interruptId)
      if (!(error instanceof TroupeError) || error.code !== "approval_settled") throw error
    })
  }
  return new Map(
    asked.map(({ approval, decided, entry }) => [approval, { ...decided, isCancelled: entry.isCancelled }])
  )
}

/** What a client that wished something else is told of how it was settled; `null`: it is as it wished, or it goes on anyway. */
export const otherwise = (wished: Wished, settled: TroupeParams["approval_settled"]): TroupeError | null => {
  const { approval_id, decided_by, decision, status } = settled
  const wish = wished.get(approval_id)
  if (wish === undefined || wish.isCancelled || (status === "answered" && isAsSettled(wish, settled))) return null
  const how = status === "answered" ? `answered before, with ${decision} by ${decided_by}` : status
  return new TroupeError({
    code: "approval_settled",
    status: 409,
    message: `The interrupt was ${how}. To go on with what came of it, resume it with the status cancelled.`
  })
}
