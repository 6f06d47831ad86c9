/** State of the whole page: the logged-in caller, the state of the connection, and its notices. */
import { computed, signal } from "@preact/signals"
import type { Me } from "../contract.ts"
import { createApi, problemFrom } from "../client/api.ts"
import type { Problem } from "../client/api.ts"
import { now, serverTime, setServerTime } from "./clock.ts"
import type { Phase } from "../client/live.ts"

/** When anything came from the server last, in milliseconds of the page's own clock. */
export const heardAt = signal(Date.now())
export const heard = (): void => {
  heardAt.value = Date.now()
}

export const api = createApi(new URL("api/", document.baseURI).href, async (...request) => {
  const response = await fetch(...request)
  heard()
  return response
})

/** `undefined`: not asked yet. `null`: nobody is logged in. */
export const me = signal<Me | null | undefined>(undefined)

/** A token that is not valid any more: the page asks for another one. */
export const leaveWhereRefused = ({ status }: Problem): void => {
  if (status === 401) me.value = null
}

export const isAdmin = computed(() => me.value?.admin === true)

/** The name of the node that answers; `null`: this Troupe is alone. */
export const thisNode = computed(() => me.value?.node ?? null)

/** What nodes do is of all apps. */
export const seesNodes = computed(() => isAdmin.value && thisNode.value !== null)

/** The state of the stream of all sessions. */
export const phase = signal<Phase>({ name: "connecting" })

/** The server gives a sign of life every 15 s. */
const signMillis = 15_000
/** For so many seconds nothing came, though the connection looks whole: what is shown may be old. `null`: there is news. */
export const quietSeconds = computed(() => {
  if (!["live", "catching-up", "connecting"].includes(phase.value.name)) return null
  const seconds = now.value - serverTime(heardAt.value)
  return seconds > signMillis / 1_000 + 1 ? Math.floor(seconds) : null
})

/** The server said that it is ending. */
export const isDraining = signal(false)

/** Why the server takes no new work, in its own words, apart from its ending: that its ledger is away. */
export const notReady = signal<ReadonlyArray<string>>([])

export const setMe = (answer: Me): void => {
  setServerTime(answer.now)
  me.value = answer
}

export interface Toast {
  readonly id: number
  readonly text: string
  readonly detail?: string
  readonly tone: "good" | "bad"
}

export const toasts = signal<ReadonlyArray<Toast>>([])
let lastToast = 0

/** A notice of a failure stays until it is dismissed, any other for six seconds. At most five at once. */
export const say = (text: string, tone: Toast["tone"] = "good", detail?: string): void => {
  lastToast += 1
  const id = lastToast
  toasts.value = [...toasts.value.slice(-4), { id, text, tone, ...(detail === undefined ? {} : { detail }) }]
  if (tone === "good") setTimeout(() => dismiss(id), 6_000)
}

export const dismiss = (id: number): void => {
  toasts.value = toasts.value.filter((toast) => toast.id !== id)
}

/** A login that ended leads to the login view; any other problem is shown. */
export const sayProblem = (cause: unknown): Problem => {
  const problem = problemFrom(cause)
  if (problem.status === 401) me.value = null
  else say(problem.title, "bad", problem.detail)
  return problem
}
