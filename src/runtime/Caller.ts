/** The caller of a service, and what it may see. Only this file keeps the sessions of different apps apart. */
import { Effect, Option } from "effect"
import { SessionId } from "../domain/Ids.ts"
import type { AppName } from "../domain/Ids.ts"
import { SessionNotFound } from "../domain/Refusal.ts"
import type { Ledger } from "../ledger/Ledger.ts"

/** An app sees its own sessions; the admin sees all. */
export type Caller = { readonly _tag: "App"; readonly app: AppName } | { readonly _tag: "Admin" }

export const sees = (caller: Caller, app: AppName): boolean => caller._tag === "Admin" || caller.app === app

/** The app whose rows a query of the ledger is limited to; `null`: every app's. */
export const appFilter = (caller: Caller): AppName | null => (caller._tag === "App" ? caller.app : null)

/** The caller's name in the audit trail. No app can be called `admin`. */
export const nameOfCaller = (caller: Caller): string => (caller._tag === "App" ? caller.app : "admin")

/** Another app's session is not found, in the same words as one that never existed. */
export const findSession = Effect.fnUntraced(function* (ledger: Ledger["Service"], caller: Caller, id: string) {
  const row = yield* ledger.session(SessionId.make(id))
  if (Option.isNone(row) || !sees(caller, row.value.app)) return yield* new SessionNotFound({ id })
  return row.value
})
