/** The line of the agent that a step came of, as it stood on its stdio. */
import { useEffect, useState } from "preact/hooks"
import type { Wire } from "../../../sessionContract.ts"
import { problemFrom } from "../../../client/api.ts"
import { parsed } from "../../../client/visible.ts"
import type { SessionApi } from "../store.ts"

export const RawLine = ({ api, seq }: { readonly api: SessionApi; readonly seq: number }) => {
  const [stored, setStored] = useState<Wire | string | undefined>()
  useEffect(() => {
    let isHere = true
    api.wire(seq).then(
      (wire) => isHere && setStored(wire),
      (cause: unknown) => isHere && setStored(problemFrom(cause).detail)
    )
    return () => {
      isHere = false
    }
  }, [seq])
  if (stored === undefined) return <p class="faint raw">…</p>
  if (typeof stored === "string") return <p class="raw bad">{stored}</p>
  return (
    <pre class="raw" tabIndex={0} aria-label={`The line behind step ${seq}`}>
      {indented(stored.line)}
      {stored.truncated ? "\n… and more than is kept" : ""}
    </pre>
  )
}

/** A line of JSON is easier to read in many; anything else is what it is. */
const indented = (line: string): string => {
  try {
    return JSON.stringify(parsed(line), null, 2)
  } catch {
    return line
  }
}
