/** The app that owns what a caller creates: its own, or `admin` for the admin token. */
import { Effect } from "effect"
import { AppName } from "../domain/Ids.ts"
import type { Caller } from "../services/Sessions.ts"
import { CurrentCaller } from "./contract/Auth.ts"

/** No app can have this name. */
const adminApp = AppName.make("admin")

export const appOf = (caller: Caller): AppName => (caller._tag === "App" ? caller.app : adminApp)

export const currentApp = Effect.map(CurrentCaller, appOf)
