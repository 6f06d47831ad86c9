/** The caller of a service, and what it may see. Only this file keeps the sessions of different apps apart. */
import { Effect, Option, Schema } from "effect"
import { SessionId } from "../domain/Ids.ts"
import type { AppName } from "../domain/Ids.ts"
import { SessionNotFound } from "../domain/Refusal.ts"
import type { SessionRecord } from "../domain/Session.ts"
import type { Ledger } from "../ledger/Ledger.ts"

/**
 * An app sees its own sessions; the admin sees all. `since` is when the app was created, in milliseconds since 1970: what
 * is older belonged to an app of the same name that was revoked. Absent: there was none.
 */
export type Caller =
  | { readonly _tag: "App"; readonly app: AppName; readonly since?: number }
  | { readonly _tag: "Admin" }

/**
 * The ledger gives the sessions of a revoked app another name when a new app takes theirs (`Apps.mint`). One that is loaded
 * then goes on under the name in memory until it sleeps: its age tells whose it is.
 */
export const sees = (
  caller: Caller,
  { app, createdAt }: { readonly app: AppName; readonly createdAt: number }
): boolean => caller._tag === "Admin" || (caller.app === app && createdAt >= (caller.since ?? 0))

/** The app whose rows a query of the ledger is limited to; `null`: every app's. */
export const appFilter = (caller: Caller): AppName | null => (caller._tag === "App" ? caller.app : null)

/** The caller's name in the audit trail. No app can be called `admin`. */
export const nameOfCaller = (caller: Caller): string => (caller._tag === "App" ? caller.app : "admin")

/** An empty id is none. */
const isSessionId = Schema.is(SessionId)

/**
 * Another app's session is not found, in the same words as one that never existed. `loaded`: knows those whose actors run here,
 * for a request that its actor decides in the end.
 */
export const findSession = Effect.fnUntraced(function* (
  ledger: Ledger["Service"],
  caller: Caller,
  id: string,
  loaded: (id: SessionId) => SessionRecord | null = notLoaded
) {
  if (isSessionId(id)) {
    const known = loaded(id)
    if (known !== null && sees(caller, known)) return known
    const row = yield* ledger.session(id)
    if (Option.isSome(row) && sees(caller, row.value)) return row.value
  }
  return yield* new SessionNotFound({ id })
})

const notLoaded = () => null
