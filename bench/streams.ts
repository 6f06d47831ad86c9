/** Measures how fast an agent's output reaches a reader of server-sent events, against a server that only relays lines. */
import type { Client, Followed } from "./http.ts"
import { median } from "./sample.ts"
import { megabytes, rate, times } from "./table.ts"
import type { Row } from "./table.ts"

export interface StreamsPlan {
  readonly rounds: number
  readonly chunks: number
  readonly updates: number
}

interface Sides {
  readonly relay: Client
  readonly client: Client
  readonly newSession: () => Promise<string>
}

/** Characters in one chunk, about what a model says at a time; and in one update, about a line of a tool's output. */
const chunkSize = 20
const updateSize = 100

export const measure = async (sides: Sides, plan: StreamsPlan): Promise<ReadonlyArray<Row>> => {
  const chunks = { raw: [] as Array<number>, troupe: [] as Array<number>, events: [] as Array<number> }
  const updates = { raw: [] as Array<number>, troupe: [] as Array<number> }
  const prompts = {
    chunks: `chunks ${plan.chunks} ${chunkSize}`,
    updates: `updates ${plan.updates} ${updateSize}`
  }
  for (let round = 0; round <= plan.rounds; round++) {
    const rawChunks = await relayed(sides, prompts.chunks)
    const ourChunks = await streamed(sides, prompts.chunks)
    const rawUpdates = await relayed(sides, prompts.updates)
    const ourUpdates = await streamed(sides, prompts.updates)
    checkWhole(rawChunks, ourChunks, plan.chunks)
    if (ourUpdates.events < plan.updates) throw new Error("updates were lost on their way to the reader")
    if (round === 0) continue
    chunks.raw.push(rawChunks.seconds)
    chunks.troupe.push(ourChunks.seconds)
    chunks.events.push(ourChunks.events)
    updates.raw.push(rawUpdates.seconds)
    updates.troupe.push(ourUpdates.seconds)
  }
  const troupe = plan.chunks / median(chunks.troupe)
  const raw = plan.chunks / median(chunks.raw)
  const ourUpdates = plan.updates / median(updates.troupe)
  const rawUpdates = plan.updates / median(updates.raw)
  return [
    {
      what: `agent to SSE reader, chunks of ${chunkSize} characters (merged to ${median(chunks.events)} events)`,
      troupe: rate(troupe, "chunks"),
      reference: `${rate(raw)} raw relay`,
      comparison: times(troupe / raw)
    },
    {
      what: "agent to SSE reader, text of those chunks",
      troupe: `${megabytes(troupe * chunkSize)}/s`,
      reference: `${megabytes(raw * chunkSize)}/s raw relay`,
      comparison: times(troupe / raw)
    },
    {
      what: "agent to SSE reader, updates of a tool call (stored one by one)",
      troupe: rate(ourUpdates, "events"),
      reference: `${rate(rawUpdates)} raw relay`,
      comparison: times(ourUpdates / rawUpdates)
    }
  ]
}

interface Timed extends Followed {
  readonly seconds: number
}

const timed = async (
  client: Client,
  events: string,
  turn: string,
  body: object,
  isLast: (data: string) => boolean
): Promise<Timed> => {
  const { ended } = await client.follow(events, isLast)
  const began = performance.now()
  const [followed] = await Promise.all([ended, client.post(turn, body)])
  return { ...followed, seconds: (followed.at - began) / 1000 }
}

const relayed = ({ relay }: Sides, prompt: string) =>
  timed(relay, "/", "/turn/0", { prompt }, (data) => data.startsWith('{"jsonrpc":"2.0","id":'))

/** The session is awake, so that no start of a process is counted. `wait: false`, so that no result is built. */
const streamed = async ({ client, newSession }: Sides, prompt: string) => {
  const id = await newSession()
  await client.post(`/sessions/${id}/turn`, { prompt: "hello" })
  const turn = { prompt, wait: false }
  const isLast = (data: string) => data.startsWith('{"jsonrpc":"2.0","id":2,')
  return timed(client, `/sessions/${id}/events`, `/sessions/${id}/turn`, turn, isLast)
}

const doneText = "done".length

const checkWhole = (raw: Followed, ours: Followed, chunks: number) => {
  const sent = chunks * chunkSize
  // Troupe's text includes the answer of the first turn.
  if (raw.text !== sent + doneText || ours.text !== sent + 2 * doneText) {
    throw new Error(`of ${sent} characters of text the relay's reader got ${raw.text}, Troupe's ${ours.text}`)
  }
}
