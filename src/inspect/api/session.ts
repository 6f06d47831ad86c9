/** One session: its detail, its steps and events, its process, and what a person may do to it. */
import { Effect } from "effect"
import { routes } from "./route.ts"

export const layer = routes(Effect.succeed([]))
