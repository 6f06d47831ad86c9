/**
 * Reads from codex's own record of a thread which turns it has finished without Troupe: codex goes on while Troupe is
 * stopped, and writes each turn to the thread's rollout file before it reports the turn's end.
 *
 * `thread/turns/list` gives the newest turns only; `thread/read` the whole thread, which can be longer than a line may be.
 * It is asked where codex does not know the other (0.169 to 0.171 do).
 */
import { Effect } from "effect"
import { steeringMessage, updateMessage } from "../../domain/Acp.ts"
import type { UpdateMessage } from "../../domain/Acp.ts"
import { cut } from "../../domain/cut.ts"
import { listIn, objectIn, textIn } from "../../domain/json.ts"
import type { JsonObject } from "../../domain/json.ts"
import { AgentFailed } from "../Agent.ts"
import type { LostTurns, RecoveredTurn } from "../lostTurns.ts"
import type { Peer } from "../JsonRpc.ts"
import { redact } from "../redact.ts"
import * as OpenItems from "./OpenItems.ts"
import { itemIn } from "./wire.ts"
import type { Item } from "./wire.ts"

/** 100 turns were read in 0.1 s. */
const readWithinMillis = 2_000

export const make = (peer: Peer, thread: string) => {
  const ask = (method: string, params: JsonObject) => peer.request(method, params, { timeoutMillis: readWithinMillis })

  /** Oldest first. */
  const newest = Effect.fnUntraced(function* (limit: number) {
    const listed = yield* ask("thread/turns/list", { threadId: thread, limit, itemsView: "full" }).pipe(
      Effect.map((reply) => objectIn(reply)["data"]),
      Effect.orElseSucceed(() => null)
    )
    if (Array.isArray(listed)) return listIn(listed).map(objectIn).toReversed()
    const read = yield* ask("thread/read", { threadId: thread, includeTurns: true })
    return listIn(objectIn(objectIn(read)["thread"])["turns"]).map(objectIn)
  })

  return ({ otherIds, turns: lost }: LostTurns): Effect.Effect<ReadonlyArray<RecoveredTurn>, AgentFailed> =>
    newest(Math.max(1, lost.length)).pipe(
      Effect.map((turns) => {
        const byId = new Map(turns.map((turn) => [textIn(turn["id"]), turn]))
        const last = turns.at(-1)
        return lost.flatMap(({ agentTurnId, prompt, turn }, nth) => {
          // Its id is stored a moment after codex has named it. Without it, only the last turn of both can be the same.
          const isLast = agentTurnId === null && nth === lost.length - 1 && isTurnOf(prompt, last, otherIds)
          const found = agentTurnId === null ? (isLast ? last : undefined) : byId.get(agentTurnId)
          if (found === undefined || found["status"] !== "completed") return []
          return [{ turn, stopReason: "end_turn" as const, updates: updatesOf(thread, found) }]
        })
      }),
      Effect.mapError((error) => {
        const reason = error._tag === "RpcError" ? cut(redact(error.message), 500) : error.reason
        return new AgentFailed({ class: "protocol", message: `Codex did not give the turns of its thread: ${reason}` })
      })
    )
}

const itemsOf = (turn: JsonObject): ReadonlyArray<Item> =>
  listIn(turn["items"]).flatMap((value) => itemIn({ item: value }) ?? [])

const userText = (item: Item): string =>
  listIn(item["content"])
    .map((part) => textIn(objectIn(part)["text"]) ?? "")
    .join("\n")

const isTurnOf = (prompt: string, turn: JsonObject | undefined, otherIds: ReadonlySet<string>): boolean => {
  const id = textIn(turn?.["id"])
  if (turn === undefined || id === null || otherIds.has(id)) return false
  const first = itemsOf(turn).find(({ type }) => type === "userMessage")
  return first !== undefined && userText(first) === prompt
}

/** What the turn's notifications would have given, without the prompt. */
const updatesOf = (thread: string, turn: JsonObject): ReadonlyArray<UpdateMessage> => {
  const updates: Array<UpdateMessage> = []
  const items = OpenItems.make((_, content) => ({
    _tag: "Update",
    turn: null,
    message: updateMessage(thread, content)
  }))
  let prompted = false
  for (const item of itemsOf(turn)) {
    if (item.type !== "userMessage") {
      for (const fact of items.completed({ item, turnId: turn["id"] })) {
        if (fact._tag === "Update") updates.push(fact.message)
      }
    } else if (prompted) updates.push(steeringMessage(thread, userText(item)))
    else prompted = true
  }
  return updates
}
