/** The items of a turn in the order in which they began, and the events that tell of them. */
import { turnId } from "./ids.ts"
import type { Place } from "./ids.ts"
import type { AgentOutputItem, AgentSessionItem, UnnamedEvent } from "./sdk.ts"

/** Where an item of the agent's own stands. */
export interface Spot {
  /** Among the items of its turn. */
  readonly nth: number
  /** Among those that the agent makes. */
  readonly output_index: number
}

export interface ItemList {
  readonly place: Place
  /** What every event of the turn has. */
  readonly at: { readonly session_id: string; readonly turn_id: string }
  readonly items: ReadonlyArray<AgentSessionItem>
  /** Of an item that is no output of the agent's: the place that it will have. */
  readonly next: () => number
  /** The place of one that is. */
  readonly nextSpot: () => Spot
  /** `spot` absent: it is no output of the agent's. */
  readonly add: (item: AgentSessionItem, spot?: Spot) => UnnamedEvent
  readonly replace: (item: AgentOutputItem, spot: Spot) => void
  /** It changes no more. */
  readonly finish: (item: AgentOutputItem, spot: Spot) => UnnamedEvent
}

export const itemList = (place: Place): ItemList => {
  const items: Array<AgentSessionItem> = []
  let outputs = 0
  const at = { session_id: place.session, turn_id: turnId(place) }
  const replace = (item: AgentOutputItem, { nth }: Spot) => void (items[nth] = item)
  return {
    place,
    at,
    items,
    next: () => items.length,
    nextSpot: () => ({ nth: items.length, output_index: outputs++ }),
    add: (item, spot) => {
      items.push(item)
      return { type: "agent.session.turn.item.added", ...at, item, output_index: spot?.output_index ?? null }
    },
    replace,
    finish: (item, spot) => {
      replace(item, spot)
      return { type: "agent.session.turn.item.done", ...at, item, output_index: spot.output_index }
    }
  }
}
