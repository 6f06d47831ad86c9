/** Puts an agent's conversation, as the ledger has it, where the agent looks for it when it is asked to resume it. */
import { Effect } from "effect"
import type { AgentDriver } from "../agent/Agent.ts"
import * as ConversationFiles from "../agent/ConversationFiles.ts"
import type { SessionRecord } from "../domain/Session.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { CapsuleRecord } from "../ledger/Ledger.ts"
import { ThisNode } from "../runtime/ThisNode.ts"
import * as CapsuleParts from "./capsuleParts.ts"

/** Changes of owner that are looked at. */
const mostClaims = 100

export interface Wanted {
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** The agent's own id of the conversation. */
  readonly thread: string
}

/** What an agent finds of its conversation, where its session comes from another node. */
export interface Found {
  /** The turn up to whose end it has the conversation; `null`: nothing had to be brought, or nothing could be. */
  readonly asOf: number | null
}

export const nothing: Found = { asOf: null }

export const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const thisNode = yield* ThisNode

  /** Another node has had the session since this was stored, or has stored it. */
  const isFromElsewhere = Effect.fnUntraced(function* ({ epoch, node, session }: CapsuleRecord) {
    if (node !== thisNode.name) return true
    const claims = yield* ledger.claims(session, mostClaims)
    return claims.some((claim) => claim.epoch > epoch && claim.node !== thisNode.name)
  })

  return Effect.fnUntraced(function* ({ app, id }: SessionRecord, driver: AgentDriver, wanted: Wanted) {
    const { cwd, env, thread } = wanted
    const files = driver.conversations?.({ cwd, env }) ?? null
    if (files === null) return nothing
    const capsules = yield* ledger.capsules(app, thread)
    const own = capsules.find(({ session }) => session === id)
    // Of a conversation that the session goes on with, or copies, another session of its app has it.
    const capsule = own ?? capsules[0]
    if (capsule === undefined) return nothing
    const isElsewhere = yield* isFromElsewhere(capsule)
    const local = yield* Effect.promise(() => files.find(thread))
    if (local !== null && !isElsewhere) return nothing
    const content = yield* CapsuleParts.read(ledger, capsule)
    if (content === null) {
      yield* Effect.logWarning(`The stored conversation of session ${capsule.session} is damaged, and was not used`)
      return nothing
    }
    const placing = yield* ConversationFiles.place(files, thread, { path: capsule.path, content })
    yield* Effect.logInfo(`The conversation of session ${id} is here as of turn ${capsule.turn} (${placing})`)
    return own === undefined ? nothing : { asOf: capsule.turn }
  })
})
