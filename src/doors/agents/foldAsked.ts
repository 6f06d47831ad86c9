/** What an agent asks a person as calls of functions, and the answers as their outputs. */
import type { TroupeParams } from "../../domain/events/troupeMessage.ts"
import { itemId } from "./ids.ts"
import type { ItemList, Spot } from "./itemList.ts"
import { askedIn, callOf, outputOf } from "./requiredActions.ts"
import type { Asked } from "./requiredActions.ts"
import type { AgentFunctionCallItem, UnnamedEvent } from "./sdk.ts"

type Events = ReadonlyArray<UnnamedEvent>

interface Waiting {
  readonly asked: Asked
  readonly spot: Spot
}

export const foldAsked = (list: ItemList) => {
  const waiting = new Map<string, Waiting>()

  const callItem = (
    { asked, spot }: Waiting,
    status: "in_progress" | "completed" | "incomplete"
  ): AgentFunctionCallItem => ({
    type: "function_call",
    id: itemId("fc", list.place, spot.nth),
    turn_id: list.at.turn_id,
    call_id: asked.id,
    ...callOf(asked),
    status
  })

  return {
    ask: (params: TroupeParams["approval_asked"]): Events => {
      const one = { asked: askedIn(params, list.place.turn), spot: list.nextSpot() }
      waiting.set(params.approval_id, one)
      return [list.add(callItem(one, "in_progress"), one.spot)]
    },
    settle: (params: TroupeParams["approval_settled"]): Events => {
      const one = waiting.get(params.approval_id)
      if (one === undefined) return []
      waiting.delete(params.approval_id)
      const isAnswered = params.status === "answered"
      const status = isAnswered ? "completed" : "incomplete"
      return [
        list.finish(callItem(one, status), one.spot),
        list.add({
          type: "function_call_output",
          id: itemId("fco", list.place, list.next()),
          turn_id: list.at.turn_id,
          call_id: params.approval_id,
          output: isAnswered ? outputOf(params) : null,
          error: isAnswered ? null : `The request is ${params.status}, which counts as a no.`,
          status
        })
      ]
    },
    /** Of the turn: nobody is asked any more. */
    end: (): Events => {
      const left = [...waiting.values()].map((one) => list.finish(callItem(one, "incomplete"), one.spot))
      waiting.clear()
      return left
    },
    waiting: (): ReadonlyArray<Asked> => [...waiting.values()].map(({ asked }) => asked)
  }
}
