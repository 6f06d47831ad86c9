/** The route as a signal, and the ways to change it; and the code of a login link, which does not stay in the address. */
import { signal } from "@preact/signals"
import { codeOf, hashOf, routeOf } from "./router.ts"
import type { Route } from "./router.ts"

export const route = signal<Route>({ view: "unknown" })
/** Not used yet. */
export const loginCode = signal<string | undefined>(undefined)

let seen = ""

const read = () => {
  seen = location.hash
  const code = codeOf(location.hash)
  route.value = routeOf(location.hash)
  if (code === undefined) return
  // Out of the address, and so out of the history, before anything else happens.
  history.replaceState(null, "", location.pathname)
  seen = location.hash
  loginCode.value = code
}
read()
addEventListener("hashchange", read)

type Known = Exclude<Route, { readonly view: "unknown" }>

export const go = (to: Known): void => {
  location.hash = hashOf(to)
}

/** In place of where one is: what is typed into a search makes no history. */
export const replace = (to: Known): void => {
  // An address that was entered just now, of which no event has told yet, is where one wants to be.
  if (location.hash !== seen) return
  history.replaceState(null, "", hashOf(to))
  seen = location.hash
  route.value = to
}
