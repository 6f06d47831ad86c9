/** Everything of one session, live from the server. */
import { useEffect, useState } from "preact/hooks"
import { me } from "../store.ts"
import { openSession } from "./open.ts"
import { keepAddress } from "./place.ts"
import type { Store } from "./store.ts"
import { Workbench } from "./Workbench.tsx"

export default function SessionView({ id }: { readonly id: string }) {
  const [store, setStore] = useState<Store | undefined>()
  const who = me.value
  // A restarted server may have other bounds, and so another machine. With the same, what is shown goes on.
  const machine = JSON.stringify([who?.version, who?.bounds])
  useEffect(() => {
    if (who === null || who === undefined) return
    const opened = openSession(id, who)
    setStore(opened.store)
    const leaveAddress = keepAddress(opened.store, id)
    return () => {
      leaveAddress()
      opened.close()
    }
  }, [id, machine])
  return store === undefined ? <main id="view" class="view" tabIndex={-1} aria-busy /> : <Workbench store={store} />
}
