/** All sessions. */
import type { SessionFilter } from "../api.ts"

export const SessionsView = ({ filter }: { readonly filter: SessionFilter }) => (
  <main id="view" class="view" tabIndex={-1}>
    {filter.q}
  </main>
)
