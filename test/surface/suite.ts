/**
 * The session surface: what every app relies on, by whichever entry point. Run over HTTP and over the library, with real
 * processes of the demo agent.
 */
import { describe } from "@effect/vitest"
import { sessions } from "./suite/sessions.ts"
import { turns } from "./suite/turns.ts"
import type { Open } from "./Surface.ts"

export const surface = (name: string, open: Open): void => {
  describe(name, () => {
    sessions(open)
    turns(open)
  })
}
