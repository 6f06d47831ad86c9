/** An HTTP client made of `node:http` alone. Its cost is part of both sides of every comparison. */
import { once } from "node:events"
import { Agent, request } from "node:http"
import type { IncomingMessage } from "node:http"

export interface Client {
  /** Returns the body; a status of 300 or above throws. */
  readonly post: (path: string, body: object) => Promise<string>
  /** Reads server-sent events until `isLast` accepts one's data. Resolves when the reader is registered. */
  readonly follow: (path: string, isLast: (data: string) => boolean) => Promise<{ readonly ended: Promise<Followed> }>
  readonly close: () => void
}

/** What a reader received: the number of events, the characters of text in their chunks, and the time of the last one. */
export interface Followed {
  readonly events: number
  readonly text: number
  readonly at: number
}

export const connect = (base: string, token: string, connections: number): Client => {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" }

  const post = async (path: string, body: object): Promise<string> => {
    const sent = request(`${base}${path}`, { agent, headers, method: "POST" })
    sent.end(JSON.stringify(body))
    const [response] = (await once(sent, "response")) as [IncomingMessage]
    const answer = await bodyOf(response)
    if ((response.statusCode ?? 500) < 300) return answer
    throw new Error(`POST ${path} answered ${response.statusCode}: ${answer.slice(0, 500)}`)
  }

  const follow: Client["follow"] = async (path, isLast) => {
    const sent = request(`${base}${path}`, { headers: { ...headers, accept: "text/event-stream" } })
    sent.end()
    const [response] = (await once(sent, "response")) as [IncomingMessage]
    if (response.statusCode !== 200) throw new Error(`GET ${path} answered ${response.statusCode}`)
    const ended = read(response, isLast).finally(() => sent.destroy())
    return { ended }
  }

  return { post, follow, close: () => agent.destroy() }
}

const bodyOf = async (response: IncomingMessage): Promise<string> => {
  let body = ""
  response.setEncoding("utf8")
  for await (const text of response) body += text as string
  return body
}

const dataLine = "data: "

const read = async (response: IncomingMessage, isLast: (data: string) => boolean): Promise<Followed> => {
  let rest = ""
  let events = 0
  let text = 0
  response.setEncoding("utf8")
  for await (const part of response) {
    const blocks = (rest + (part as string)).split("\n\n")
    rest = blocks.pop() ?? ""
    for (const block of blocks) {
      const begins = block.indexOf(dataLine)
      if (begins === -1) continue
      const data = block.slice(begins + dataLine.length)
      events++
      text += chunkLength(data)
      if (isLast(data)) return { events, text, at: performance.now() }
    }
  }
  throw new Error("the stream of events ended before its last event")
}

interface Chunk {
  readonly params?: {
    readonly update?: { readonly sessionUpdate?: string; readonly content?: { readonly text?: string } }
  }
}

const chunkLength = (data: string): number => {
  if (!data.includes('"agent_message_chunk"')) return 0
  const { params } = JSON.parse(data) as Chunk
  return params?.update?.content?.text?.length ?? 0
}
