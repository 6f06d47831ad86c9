/** What a step writes of turns: the row of a new one, and each change of it. */
import type { Settlement } from "../../machines/session/machine.ts"
import type { SessionRecord } from "../domain/Session.ts"
import { isCutOff, noUsage } from "../domain/Turn.ts"
import type { StopReason, TurnRecord, Usage } from "../domain/Turn.ts"
import type { LedgerWrite } from "../ledger/Ledger.ts"
import type { Submission } from "./Envelope.ts"

/** The row of a turn that is accepted. */
export const newTurn = (
  { id, threadId }: SessionRecord,
  index: number,
  status: "queued" | "running",
  { content = null, context = null, kind = "prompt", prompt, settings = {} }: Submission,
  at: number
): TurnRecord => ({
  session: id,
  index,
  kind,
  status,
  prompt,
  content,
  givenContext: context?.text ?? null,
  settings,
  submittedAt: at,
  endedAt: null,
  stopReason: null,
  usage: noUsage,
  failure: null,
  interrupted: false,
  toolIterations: 0,
  threadId,
  agentTurnId: null,
  contextLost: false,
  contextAsOf: null,
  workdirLost: false
})

/** Of a turn that ends in line, having reached no agent. */
export const queuedSettlement = (turn: number, failure: NonNullable<Settlement["failure"]>): Settlement =>
  failure.class === "interrupted"
    ? { turn, status: "interrupted", stopReason: "cancelled", failure, withoutEnd: false }
    : { turn, status: "failed", stopReason: "error", failure, withoutEnd: false }

export type TurnPatched = Extract<LedgerWrite, { readonly _tag: "TurnPatched" }>

export const turnPatch = (session: SessionRecord["id"], index: number, patch: TurnPatched["patch"]): TurnPatched => ({
  _tag: "TurnPatched",
  session,
  index,
  patch
})

export const outcome = (
  { id, threadId }: SessionRecord,
  { failure, status, stopReason, turn }: Settlement,
  at: number,
  usage: Usage
): TurnPatched =>
  turnPatch(id, turn, {
    status,
    endedAt: at,
    stopReason: stopReason as StopReason,
    usage,
    failure,
    interrupted: isCutOff(status),
    threadId
  })
