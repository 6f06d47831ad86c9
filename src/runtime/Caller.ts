/** Who asks, and what they may see: the one place that keeps the sessions of apps apart. */
import { Effect, Option } from "effect"
import { SessionId } from "../domain/Ids.ts"
import type { AppName } from "../domain/Ids.ts"
import { SessionNotFound } from "../domain/Refusal.ts"
import type { Ledger } from "../ledger/Ledger.ts"

/** An app sees its own sessions; the admin sees all. */
export type Caller = { readonly _tag: "App"; readonly app: AppName } | { readonly _tag: "Admin" }

export const sees = (caller: Caller, app: AppName): boolean => caller._tag === "Admin" || caller.app === app

/** Whose rows to ask the ledger for; `null`: every app's. */
export const appOf = (caller: Caller): AppName | null => (caller._tag === "App" ? caller.app : null)

/** As the audit trail has it. No app can be called `admin`. */
export const nameOfCaller = (caller: Caller): string => (caller._tag === "App" ? caller.app : "admin")

/** Another app's session, and one that never was, are the same to who asks. */
export const findSession = Effect.fnUntraced(function* (ledger: Ledger["Service"], caller: Caller, id: string) {
  const found = yield* ledger.session(SessionId.make(id))
  if (Option.isNone(found) || !sees(caller, found.value.app)) return yield* new SessionNotFound({ id })
  return found.value
})
