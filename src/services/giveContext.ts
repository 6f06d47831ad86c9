/**
 * Gives a session's agent the conversation that its app had before, with the first prompt that reaches it. An agent that has
 * the conversation, or another one, is given nothing.
 */
import { Effect } from "effect"
import { contextOf } from "../domain/GivenContext.ts"
import type { GivenContext } from "../domain/GivenContext.ts"
import { NotSupported } from "../domain/Refusal.ts"
import type { SessionRecord } from "../domain/Session.ts"
import type { Message } from "../domain/Turn.ts"
import { Ledger } from "../ledger/Ledger.ts"
import * as Transcript from "../runtime/Transcript.ts"
import { checkMessages } from "./checkMessages.ts"
import { checkStorable } from "./checkStorable.ts"

/** A session that has had more turns has an agent that knows something. */
const turnsLookedAt = 16

export const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const transcript = yield* Transcript.make

  /** No prompt has reached the agent, and its conversation is none that it had before. */
  const isFresh = Effect.fnUntraced(function* ({ id, setup, threadId, turnCount }: SessionRecord) {
    if (setup.fork !== undefined || turnCount > turnsLookedAt) return false
    const turns = yield* ledger.turns(id, 0, turnsLookedAt)
    for (const turn of turns) {
      if (turn.endedAt === null || (yield* transcript.resultOfTurn(turn)).handed) return false
    }
    return threadId === null || turns.some(({ givenContext }) => givenContext !== null)
  })

  /** `prompt` may be the last of the messages. `null`: nothing is given. `onlyFresh`: refused where that is for the agent. */
  return Effect.fnUntraced(function* (
    record: SessionRecord,
    prompt: string,
    messages: ReadonlyArray<Message>,
    onlyFresh: boolean
  ) {
    const all = yield* checkMessages(messages)
    const last = all.at(-1)
    const context = contextOf(last?.role === "user" && last.content === prompt ? all.slice(0, -1) : all)
    if (context === null) return null
    if (!(yield* isFresh(record))) return onlyFresh ? yield* new NotSupported({ problem: known(record.agent) }) : null
    yield* checkStorable({ messages: context.text })
    return context satisfies GivenContext
  })
})

const known = (agent: string) =>
  `${agent} has a conversation in this session already, and messages are for a session whose agent has none. Leave messages out.`
