/** The runtime of a command in whose place is no server (`place.ts`): in this process, and for this command alone. */
import { Option, Redacted } from "effect"
import type { Layer } from "effect"
import { randomBytes } from "node:crypto"
import * as Runtime from "../wiring.ts"
import { CommandFailed } from "./failures.ts"
import type { Place } from "./place.ts"

export type Here = Extract<Place, { readonly _tag: "Here" }>

export const layer = ({ databaseUrl, reviews, settings }: Here) => {
  // Nothing in this process checks an admin token; the one in the data dir is left to a server.
  const adminToken = Option.some(Redacted.make(randomBytes(32).toString("hex")))
  return Runtime.layer(settings, { adminToken, databaseUrl, reviews })
}

type LedgerUnusable = Extract<Layer.Error<ReturnType<typeof layer>>, { readonly _tag: "LedgerUnusable" }>

/** Another Troupe has the data dir. */
export const isHeld = ({ problem }: LedgerUnusable): boolean => problem.startsWith("is held")

/** `besideOthers`: what to do where several of the command are to run beside each other. */
export const unusable = (error: LedgerUnusable, besideOthers: string): CommandFailed => {
  const problem = isHeld(error) ? `${error.message} ${besideOthers}` : error.message
  return new CommandFailed({ code: "ledger_unusable", problem })
}
