/** Opens what most tests need: an installation, a running Troupe, an app, and one session of one agent. */
import { Effect } from "effect"
import type { CreateSession } from "./App.ts"
import * as Installation from "./Installation.ts"
import type { Turn } from "./wire.ts"

export const open = Effect.fnUntraced(function* (
  options: CreateSession,
  settings: Readonly<Record<string, string>> = {},
  more: object = {}
) {
  const installation = yield* Installation.makeWith(more)
  const troupe = yield* installation.serve(settings)
  const app = yield* troupe.app("scene")
  const session = yield* app.create({ cwd: installation.cwd, ...options })
  return { installation, troupe, app, session }
})

/** What the model was sent of the user's words, as it told when it was asked to `RECALL`. */
export const recalled = ({ final_text }: Turn): ReadonlyArray<string> => JSON.parse(final_text)
