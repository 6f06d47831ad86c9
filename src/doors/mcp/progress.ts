/** Progress of a call, for a host that asked for it: what the agent does, at most once a second, and a sign of life. */
import type { ServerContext } from "@modelcontextprotocol/server"

const atMostEveryMillis = 1_000
/** Hosts that count from the last progress give up after 60 s. */
const signEveryMillis = 10_000

export interface Progress {
  readonly tell: (line: string) => void
  readonly end: () => void
}

const silent: Progress = { tell: () => {}, end: () => {} }

export const progressOf = ({ mcpReq }: ServerContext): Progress => {
  const progressToken = mcpReq._meta?.progressToken
  if (progressToken === undefined) return silent
  let told = 0
  let last = 0
  const send = (message: string) => {
    told += 1
    last = Date.now()
    const params = { progressToken, progress: told, message }
    // A host that is gone has no use for it, and the turn goes on.
    mcpReq.notify({ method: "notifications/progress", params }).catch(() => {})
  }
  const sign = setInterval(() => {
    if (Date.now() - last >= signEveryMillis) send("still running")
  }, signEveryMillis)
  return {
    tell: (line) => {
      if (Date.now() - last >= atMostEveryMillis) send(line)
    },
    end: () => clearInterval(sign)
  }
}
