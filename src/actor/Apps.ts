/**
 * Who may come in: apps and their tokens.
 *
 * A token is `trp_` and 43 characters (256 random bits); the ledger keeps its SHA-256 only, and comparing takes the
 * same time whether it matches or not. The admin token opens `/admin` and everything an app may do.
 */
import { Context } from "effect"
import type { Effect, Option, Redacted } from "effect"
import type { AppName } from "../domain/Ids.ts"
import type { AppExists, AppNotFound, InvalidRequest, Unavailable } from "../domain/Refusal.ts"
import type { AppRecord } from "../ledger/Ledger.ts"
import type { Caller } from "./Sessions.ts"

export class Apps extends Context.Service<
  Apps,
  {
    /** `None`: unknown, revoked or malformed; a caller is not told which. */
    readonly authenticate: (token: Redacted.Redacted<string>) => Effect.Effect<Option.Option<Caller>, Unavailable>
    /** The token is in this answer and nowhere else, ever. A revoked name may be taken again. */
    readonly mint: (
      name: string
    ) => Effect.Effect<
      { readonly name: AppName; readonly token: Redacted.Redacted<string> },
      AppExists | InvalidRequest | Unavailable
    >
    readonly rotate: (
      name: string
    ) => Effect.Effect<{ readonly name: AppName; readonly token: Redacted.Redacted<string> }, AppNotFound | Unavailable>
    readonly revoke: (name: string) => Effect.Effect<void, AppNotFound | Unavailable>
    readonly list: Effect.Effect<ReadonlyArray<AppRecord>, Unavailable>
  }
>()("troupe/actor/Apps") {}
