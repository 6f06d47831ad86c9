/** Notifications of the browser, of what begins to need a person while nobody looks at the page. */
import { signal } from "@preact/signals"
import type { AttentionItem } from "../../fleetContract.ts"
import { hashOfSession } from "../app/router.ts"
import { say } from "../store.ts"
import { kindWords } from "./words.ts"

const storedAs = "troupe-notify"
/** Of many at once each would hide the one before. */
const mostAtOnce = 3

const canNotify = typeof Notification !== "undefined"

const isWanted = () => {
  try {
    return localStorage.getItem(storedAs) === "1"
  } catch {
    return false
  }
}

/** It was asked for here, and the browser allows it. */
export const isNotifying = signal(canNotify && Notification.permission === "granted" && isWanted())

const keep = (isOn: boolean) => {
  isNotifying.value = isOn
  try {
    localStorage.setItem(storedAs, isOn ? "1" : "0")
  } catch {
    // It holds until the page is closed.
  }
}

export const toggleNotifications = async (): Promise<void> => {
  if (isNotifying.peek()) return keep(false)
  if (!canNotify) return void say("This browser has no notifications", "bad")
  const answer = await Notification.requestPermission()
  if (answer === "granted") return keep(true)
  say("The browser does not allow notifications", "bad", "Allow them for this address in its settings.")
}

/** Says what is there now and was not before; nothing while the page is seen. `undefined`: nothing is known of before. */
export const notifyOf = (before: ReadonlyArray<AttentionItem> | undefined, now: ReadonlyArray<AttentionItem>): void => {
  if (!isNotifying.peek() || !document.hidden || before === undefined) return
  const known = new Set(before.map(({ key }) => key))
  const fresh = now.filter(({ key }) => !known.has(key))
  for (const { agent, key, kind, name, session_id, what } of fresh.slice(0, mostAtOnce)) {
    tell(
      `${name === null || name === session_id ? agent : name}: ${kindWords[kind]}`,
      what,
      key,
      session_id === null ? "#/" : hashOfSession(session_id)
    )
  }
  if (fresh.length > mostAtOnce) {
    tell("Troupe", `${fresh.length - mostAtOnce} more need somebody.`, "troupe-more", "#/")
  }
}

/** One of the same tag takes the place of the one before. */
const tell = (title: string, body: string, tag: string, hash: string) => {
  const shown = new Notification(title, { body, tag })
  shown.addEventListener("click", () => {
    window.focus()
    location.hash = hash
    shown.close()
  })
}
