/** Measures what a slow stream costs the ledger: a turn that nobody reads while it runs, against one that is followed. */
import type { Client } from "./http.ts"
import { median } from "./sample.ts"
import type { TroupeCalls } from "./troupe.ts"
import { times } from "./table.ts"
import type { Row } from "./table.ts"
import type { Worker } from "./worker.ts"

export interface StridesPlan {
  readonly rounds: number
  readonly chunks: number
}

interface Sides {
  readonly troupe: Worker<TroupeCalls>
  readonly client: Client
  readonly newSession: () => Promise<string>
}

/** About what a model says at a time, and how long it takes. */
const chunkSize = 20
const everyMillis = 50

type Stored = Awaited<ReturnType<TroupeCalls["stored"]>>

export const measure = async (sides: Sides, plan: StridesPlan): Promise<ReadonlyArray<Row>> => {
  const followed: Array<Stored> = []
  const unread: Array<Stored> = []
  for (let round = 0; round < plan.rounds; round++) {
    followed.push(await storedBy(sides, plan, true))
    unread.push(await storedBy(sides, plan, false))
  }
  const seconds = (plan.chunks * everyMillis) / 1_000
  const text = plan.chunks * chunkSize
  const rowBytes = median(followed.map((of) => of.rowBytes))
  const rows: ReadonlyArray<Row> = (["commits", "events", "eventBytes", "logBytes"] as const).map((what) => {
    const [ours, reference] = [median(unread.map((of) => of[what])), median(followed.map((of) => of[what]))]
    return {
      what: `slow stream of ${seconds} s, ${chunkSize} characters every ${everyMillis} ms, read by nobody: ${names[what]}`,
      troupe: String(ours),
      reference: `${reference} while it is read`,
      comparison: times(ours / reference)
    }
  })
  return [
    ...rows,
    {
      what: `the same, while it is read: bytes of its rows and their index`,
      troupe: String(rowBytes),
      reference: `${text} characters of text`,
      comparison: times(rowBytes / text)
    }
  ]
}

const names = {
  commits: "commits",
  events: "events stored",
  eventBytes: "bytes of those events",
  logBytes: "bytes written to the log"
}

const storedBy = async ({ client, newSession, troupe }: Sides, { chunks }: StridesPlan, isFollowed: boolean) => {
  const id = await newSession()
  await client.post(`/sessions/${id}/turn`, { prompt: "hello" })
  const events = `/sessions/${id}/events`
  const before = await troupe.call("stored", { id })
  const following = isFollowed
    ? await client.follow(events, (data) => data.startsWith('{"jsonrpc":"2.0","id":2,'))
    : null
  await client.post(`/sessions/${id}/turn`, { prompt: `slowly ${chunks} ${chunkSize} ${everyMillis}` })
  await following?.ended
  const after = await troupe.call("stored", { id })
  return {
    commits: after.commits - before.commits,
    events: after.events - before.events,
    eventBytes: after.eventBytes - before.eventBytes,
    rowBytes: after.rowBytes - before.rowBytes,
    logBytes: after.logBytes - before.logBytes
  }
}
