/** What most tests begin with: a house, Troupe in it, an app, and one session of one agent. */
import { Effect } from "effect"
import type { CreateSession } from "./App.ts"
import * as House from "./Installation.ts"
import type { Turn } from "./wire.ts"

export const open = Effect.fnUntraced(function* (
  options: CreateSession,
  settings: Readonly<Record<string, string>> = {}
) {
  const house = yield* House.make
  const troupe = yield* house.serve(settings)
  const app = yield* troupe.app("scene")
  const session = yield* app.create({ cwd: house.cwd, ...options })
  return { house, troupe, app, session }
})

/** What the model was sent of the user's words, as it told when it was asked to `RECALL`. */
export const recalled = ({ final_text }: Turn): ReadonlyArray<string> => JSON.parse(final_text)
