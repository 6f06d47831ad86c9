/** What a session's processes do, asked again and again as long as the session is looked at: the verdict below its sentence. */
import { api } from "../store.ts"
import type { Store } from "./store.ts"

/** Its sentence comes first. */
const firstAfterMillis = 500
/** Each takes a look at the kernel's table of processes. */
const everyMillis = 3_000

/** Returns what ends it. */
export const examine = (id: string, store: Store): (() => void) => {
  let isOpen = true
  let timer: ReturnType<typeof setTimeout> | undefined

  /** Only of a process there is anything to examine. */
  const once = async () => {
    const detail = store.detail.peek()
    if (document.hidden || store.phase.peek().name !== "live" || detail === undefined) return
    if (detail.process.pid === null) {
      store.diagnosis.value = undefined
      return
    }
    try {
      const [diagnosis, { samples }] = await Promise.all([api.why(id), api.processes(id)])
      if (!isOpen) return
      store.diagnosis.value = diagnosis
      store.measured(samples)
    } catch {
      // The detail's own question says what is wrong.
    }
  }
  const again = async () => {
    await once()
    if (isOpen) timer = setTimeout(() => void again(), everyMillis)
  }
  timer = setTimeout(() => void again(), firstAfterMillis)
  return () => {
    isOpen = false
    clearTimeout(timer)
  }
}
