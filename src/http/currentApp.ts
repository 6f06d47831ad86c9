/** The app that owns what the current request creates: the caller's own, or `admin` for the admin token. */
import { Effect } from "effect"
import { AppName } from "../domain/Ids.ts"
import { CurrentCaller } from "./contract/Auth.ts"

/** No app can have this name. */
const adminApp = AppName.make("admin")

export const currentApp = Effect.map(CurrentCaller, (caller) => (caller._tag === "App" ? caller.app : adminApp))
