/** The processes of sessions, looked at twice: what the kernel says of each, and how much of a processor it uses. */
import { Effect } from "effect"
import type { SessionId } from "../../domain/Ids.ts"
import type { Looked } from "../../supervision/Looked.ts"
import type { SessionHost } from "../../supervision/SessionHost.ts"

/** What an older node does not tell of a process is absent. */
export type SeenProcess = Extract<Looked, { readonly _tag: "Seen" }>["tree"][number]

/** A process, and how many processors it kept busy between two looks. `null`: it was there for one look only. */
export type MeasuredProcess = SeenProcess & { readonly cpu: number | null }

/** A hundredth of a second is what the kernel counts by. */
const betweenLooks = "500 millis"

/** Takes half a second where one of them has processes. A session that nobody answers for is left out. */
export const processesOf = Effect.fnUntraced(function* (
  host: SessionHost["Service"],
  sessions: ReadonlyArray<SessionId>
) {
  const first = yield* treesOf(host, sessions)
  if (first.trees.values().every((tree) => tree.length === 0))
    return new Map<SessionId, ReadonlyArray<MeasuredProcess>>()
  yield* Effect.sleep(betweenLooks)
  const second = yield* treesOf(host, sessions)
  const seconds = (second.at - first.at) / 1_000
  return new Map(
    second.trees.entries().map(([id, tree]) => [id, measured(first.trees.get(id) ?? [], tree, seconds)] as const)
  )
})

const treesOf = (host: SessionHost["Service"], sessions: ReadonlyArray<SessionId>) =>
  Effect.map(host.look({ sessions, parts: ["tree"] }), (looked) => ({
    at: performance.now(),
    trees: new Map(looked.flatMap((look) => (look._tag === "Seen" ? [[look.session, look.tree] as const] : [])))
  }))

const measured = (
  first: ReadonlyArray<SeenProcess>,
  second: ReadonlyArray<SeenProcess>,
  seconds: number
): ReadonlyArray<MeasuredProcess> => {
  const before = new Map(first.map((process) => [process.pid, process]))
  return second.map((process) => {
    const earlier = before.get(process.pid)
    const isSame = earlier?.startTime === process.startTime
    if (!isSame || process.cpuSeconds === undefined || earlier.cpuSeconds === undefined)
      return { ...process, cpu: null }
    return { ...process, cpu: Math.max(0, process.cpuSeconds - earlier.cpuSeconds) / seconds }
  })
}
