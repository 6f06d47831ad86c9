/**
 * The one stream of all sessions, open while somebody is logged in. Views listen to it; a hidden page closes it and
 * catches up when it is shown again.
 */
import { computed, effect } from "@preact/signals"
import type { SlimStep } from "../../contract.ts"
import type { Following } from "../../client/live.ts"
import { followLive } from "../live/topics.ts"
import { api, heard, isDraining, me, notReady, phase, setMe } from "../store.ts"
import { parsed } from "../../client/visible.ts"

export type ServerMessage =
  | { readonly type: "step"; readonly step: SlimStep }
  | { readonly type: "removed"; readonly sessionId: string }
  /** What is shown may be outdated: fetch it again. */
  | { readonly type: "reset" }
  /** Everything that was missed has been sent. */
  | { readonly type: "live" }

const listeners = new Set<(message: ServerMessage) => void>()

/** Returns the function that ends it. */
export const listen = (listener: (message: ServerMessage) => void): (() => void) => {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

const notify = (message: ServerMessage) => {
  for (const listener of listeners) listener(message)
}

/** A page that was just hidden is often shown again at once. */
const restAfterMillis = 20_000
/** Only readiness says that a server drains while it still serves. */
const askReadyMillis = 10_000

const isLoggedIn = computed(() => me.value !== null && me.value !== undefined)

let current: Following | undefined

export const retryNow = (): void => current?.retry()

effect(() => {
  if (!isLoggedIn.value) return
  const following = followLive("steps", {
    onPhase: (next) => {
      phase.value = next
      if (next.name === "lost") isDraining.value = false
      if (next.name !== "refused") return
      if (next.problem.status === 401) me.value = null
    },
    onEvent: ({ data, event }) => {
      if (event === "step") notify({ type: "step", step: parsed<SlimStep>(data) })
      else if (event === "removed")
        notify({ type: "removed", sessionId: (JSON.parse(data) as { readonly session_id: string }).session_id })
      else if (event === "reset" || event === "live") {
        notify({ type: event })
        // Perhaps the server was restarted, with another version or other bounds.
        if (event === "reset") void api.me().then(setMe, () => {})
      }
    }
  })
  current = following

  let resting: ReturnType<typeof setTimeout> | undefined
  const onVisibility = () => {
    clearTimeout(resting)
    if (document.hidden) resting = setTimeout(following.rest, restAfterMillis)
    else following.resume()
  }
  const asking = setInterval(() => void askReady(), askReadyMillis)
  document.addEventListener("visibilitychange", onVisibility)
  addEventListener("online", following.retry)
  return () => {
    clearTimeout(resting)
    clearInterval(asking)
    document.removeEventListener("visibilitychange", onVisibility)
    removeEventListener("online", following.retry)
    following.stop()
    current = undefined
  }
})

const askReady = async (): Promise<void> => {
  if (document.hidden || phase.value.name !== "live") return
  try {
    const response = await fetch(new URL("../readyz", document.baseURI), {
      cache: "no-store",
      signal: AbortSignal.timeout(askReadyMillis)
    })
    heard()
    const { reasons = [] } = (await response.json()) as { readonly reasons?: ReadonlyArray<string> }
    const isEnd = (reason: string) => reason.startsWith("draining")
    isDraining.value = reasons.some(isEnd)
    notReady.value = reasons.filter((reason) => !isEnd(reason))
  } catch {
    // The stream reports a lost connection soon enough.
  }
}
