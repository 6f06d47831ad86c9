/**
 * The one stream of all sessions, for as long as somebody is logged in. Views listen to it; a page that is not seen lets
 * go of it, and catches up when it is looked at again.
 */
import { computed, effect } from "@preact/signals"
import type { SlimStep } from "../../contract.ts"
import { follow } from "../../client/live.ts"
import type { Following } from "../../client/live.ts"
import { api, isDraining, me, phase, setMe } from "../store.ts"
import { parsed } from "../../client/visible.ts"

export type News =
  | { readonly type: "step"; readonly step: SlimStep }
  | { readonly type: "removed"; readonly sessionId: string }
  /** What is shown may be old: ask anew. */
  | { readonly type: "reset" }
  /** All that was missed has been told. */
  | { readonly type: "live" }

const listeners = new Set<(news: News) => void>()

/** Gives back how to stop. */
export const listen = (listener: (news: News) => void): (() => void) => {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

const tell = (news: News) => {
  for (const listener of listeners) listener(news)
}

/** A page behind another is often looked at again at once. */
const restAfterMillis = 20_000
/** Only readiness says that a server ends while it still serves. */
const askReadyMillis = 10_000

const isIn = computed(() => me.value !== null && me.value !== undefined)

let current: Following | undefined

export const retryNow = (): void => current?.retry()

effect(() => {
  if (!isIn.value) return
  const following = follow({
    url: api.stepsUrl(),
    onPhase: (next) => {
      phase.value = next
      if (next.name === "lost") isDraining.value = false
      if (next.name !== "refused") return
      if (next.problem.status === 401) me.value = null
    },
    onEvent: ({ data, event }) => {
      if (event === "step") tell({ type: "step", step: parsed<SlimStep>(data) })
      else if (event === "removed")
        tell({ type: "removed", sessionId: (JSON.parse(data) as { readonly session_id: string }).session_id })
      else if (event === "reset" || event === "live") {
        tell({ type: event })
        // Perhaps another life of the server, with another version or other bounds.
        if (event === "reset") void api.me().then(setMe, () => {})
      }
    }
  })
  current = following

  let resting: ReturnType<typeof setTimeout> | undefined
  const look = () => {
    clearTimeout(resting)
    if (document.hidden) resting = setTimeout(following.rest, restAfterMillis)
    else following.resume()
  }
  const asking = setInterval(() => void askReady(), askReadyMillis)
  document.addEventListener("visibilitychange", look)
  addEventListener("online", following.retry)
  return () => {
    clearTimeout(resting)
    clearInterval(asking)
    document.removeEventListener("visibilitychange", look)
    removeEventListener("online", following.retry)
    following.stop()
    current = undefined
  }
})

const askReady = async (): Promise<void> => {
  if (document.hidden || phase.value.name !== "live") return
  try {
    const response = await fetch(new URL("../readyz", document.baseURI), { cache: "no-store" })
    isDraining.value = response.status === 503 && (await response.text()).includes("draining")
  } catch {
    // The stream says so soon enough.
  }
}
