/** The route as a signal, and the ways to change it. */
import { signal } from "@preact/signals"
import { hashOf, routeOf } from "./router.ts"
import type { Route } from "./router.ts"

export const route = signal<Route>(routeOf(location.hash))

addEventListener("hashchange", () => {
  route.value = routeOf(location.hash)
})

type Known = Exclude<Route, { readonly view: "unknown" }>

export const go = (to: Known): void => {
  location.hash = hashOf(to)
}

/** In place of where one is: what is typed into a search makes no history. */
export const replace = (to: Known): void => {
  history.replaceState(null, "", hashOf(to))
  route.value = to
}
