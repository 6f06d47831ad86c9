/** The line of the agent that a step came of, as it stood on its stdio. */
import { useEffect, useState } from "preact/hooks"
import type { Wire } from "../../../contract.ts"
import { problemFrom } from "../../../client/api.ts"
import { parsed } from "../../../client/visible.ts"
import type { Door } from "../store.ts"

export const RawLine = ({ door, seq }: { readonly door: Door; readonly seq: number }) => {
  const [told, setTold] = useState<Wire | string | undefined>()
  useEffect(() => {
    let isHere = true
    door.wire(seq).then(
      (wire) => isHere && setTold(wire),
      (cause: unknown) => isHere && setTold(problemFrom(cause).detail)
    )
    return () => {
      isHere = false
    }
  }, [seq])
  if (told === undefined) return <p class="faint raw">…</p>
  if (typeof told === "string") return <p class="raw bad">{told}</p>
  return (
    <pre class="raw" tabIndex={0} aria-label={`The line behind step ${seq}`}>
      {indented(told.line)}
      {told.truncated ? "\n… and more than is kept" : ""}
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
