/** Dark or light: as the system has it, until somebody says otherwise. */
import { effect, signal } from "@preact/signals"

export const themes = ["system", "light", "dark"] as const
export type Theme = (typeof themes)[number]

const key = "troupe.theme"

/** A browser may keep storage from a page, and says so by throwing. */
const stored = (): Theme => {
  try {
    const value = localStorage.getItem(key)
    return value === "light" || value === "dark" ? value : "system"
  } catch {
    return "system"
  }
}

export const theme = signal<Theme>(stored())

effect(() => {
  const chosen = theme.value
  if (chosen === "system") delete document.documentElement.dataset["theme"]
  else document.documentElement.dataset["theme"] = chosen
  try {
    if (chosen === "system") localStorage.removeItem(key)
    else localStorage.setItem(key, chosen)
  } catch {
    // Then it holds until the page is closed.
  }
})
