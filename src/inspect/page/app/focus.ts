/** Puts the focus where a view begins: who goes on by keyboard, or hears the page, is there and not where it opened. */
const viewArrivesWithinMillis = 4_000
const lookAgainMillis = 100

export const focusView = (): void => {
  const view = document.getElementById("view")
  if (view?.contains(document.activeElement) !== true) view?.focus({ preventScroll: true })
}

let looking: ReturnType<typeof setInterval> | undefined

/** A view comes in pieces, code first; each piece takes the place of the one before, and the focus with it. */
export const focusNextView = (): void => {
  clearInterval(looking)
  focusView()
  const until = performance.now() + viewArrivesWithinMillis
  looking = setInterval(() => {
    if (performance.now() > until) clearInterval(looking)
    else if (document.activeElement === document.body) focusView()
  }, lookAgainMillis)
}

// A press on the empty page has put the focus there.
addEventListener("pointerdown", () => clearInterval(looking))
