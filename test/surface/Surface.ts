/**
 * What an app can do with Troupe by any entry point. The suite uses this interface only, and HTTP and the library each
 * implement it, so that they can't drift apart.
 */
import type { Effect, Scope } from "effect"
import type { Message as MessageSchema } from "../../src/domain/Message.ts"
import type { TurnResult } from "../../src/http/contract/bodies.ts"
import type { CreatedSession, Session, sessionFields } from "../../src/http/contract/sessions.ts"
import type { RunResult } from "../../src/services/OneShotRuns.ts"
import type { CreateSession, SessionState } from "../../src/domain/Session.ts"
import type { AgentSpec, Limits, RunSpec } from "../../src/domain/Settings.ts"

/** A refusal, as both entry points report it. */
export interface Refusal {
  readonly code: string
  readonly status: number
  readonly detail: string
}

type Answer<A> = Effect.Effect<A, Refusal>

export type Turn = typeof TurnResult.Type
export type Message = typeof MessageSchema.Type
export type SessionBody = Omit<typeof Session.Type, "ok">

export interface TurnOptions {
  readonly queue?: boolean
  readonly idempotencyKey?: string
}

export interface AppSurface {
  readonly create: (request: CreateSession) => Answer<Omit<typeof CreatedSession.Type, "ok">>
  readonly get: (id: string) => Answer<SessionBody>
  readonly list: (query: {
    readonly limit: number
    readonly cursor: string | null
    readonly state: SessionState | "open" | null
  }) => Answer<{
    readonly count: number
    readonly sessions: ReadonlyArray<Pick<SessionBody, keyof typeof sessionFields>>
    readonly nextCursor: string | null
  }>
  readonly turn: (id: string, prompt: string, options?: TurnOptions) => Answer<Turn>
  readonly turns: (id: string) => Answer<ReadonlyArray<Turn>>
  readonly interrupt: (id: string) => Answer<boolean>
  readonly steer: (id: string, text: string) => Answer<void>
  readonly compact: (id: string) => Answer<Turn>
  /** The whole conversation, page by page where this entry point has pages. */
  readonly messages: (id: string) => Answer<ReadonlyArray<Message>>
  readonly close: (id: string) => Answer<{ readonly alreadyClosed: boolean }>
  /** The sequence numbers and names of the session's events after `after`, until it is closed. */
  readonly events: (id: string, after: number) => Answer<ReadonlyArray<readonly [number, string]>>
  readonly run: (prompt: string) => Answer<RunResult>
}

export interface Surface {
  readonly ours: AppSurface
  readonly theirs: AppSurface
  readonly sweep: Answer<{ readonly softClosed: number; readonly hardDeleted: number }>
  /** `null` where this entry point has no operator's view. */
  readonly audit: ((id: string) => Answer<ReadonlyArray<{ readonly action: string; readonly actor: string }>>) | null
}

export interface TroupeSettings {
  readonly limits?: Partial<Limits>
  readonly run?: RunSpec
  /** In addition to the built-in ones. */
  readonly agents?: Readonly<Record<string, AgentSpec>>
}

/** Opens a whole Troupe with the `demo` agent, which is closed with the scope. */
export type Open = (settings?: TroupeSettings) => Effect.Effect<Surface, never, Scope.Scope>
