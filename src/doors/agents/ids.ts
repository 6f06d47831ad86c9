/**
 * The ids of turns, items and events: made of a session's id and of numbers, so that nothing is stored for them. A session has the
 * same id as everywhere else in Troupe, and an agent its name.
 */
import { bareId } from "../bareId.ts"

export interface Place {
  readonly session: string
  readonly turn: number
}

export const turnId = ({ session: id, turn }: Place): string => `turn_${bareId(id)}_${turn}`

/** `null`: it is no id of a turn of this session. */
export const turnIn = (id: string, ofSession: string): number | null => {
  const [prefix, turn, ...others] = numbersIn(id, ofSession)
  return prefix === "turn" && turn !== undefined && turn > 0 && others.length === 0 ? turn : null
}

/** `nth`: of the item among those of its turn. */
export const itemId = (prefix: "msg" | "rs" | "fc" | "fco" | "cmd" | "mcp" | "ws", place: Place, nth: number): string =>
  `${prefix}_${bareId(place.session)}_${place.turn}_${nth}`

export const itemIn = (id: string, ofSession: string): { readonly turn: number; readonly nth: number } | null => {
  const [prefix, turn, nth, ...others] = numbersIn(id, ofSession)
  const isItem = prefix !== undefined && prefix !== "turn" && prefix !== "evt"
  return isItem && turn !== undefined && turn > 0 && nth !== undefined && others.length === 0 ? { turn, nth } : null
}

/** Where an event of a stream stands. */
export interface Position {
  /** The earliest turn that was open then: a reader that comes back needs what it has said so far. 0: there was none yet. */
  readonly turn: number
  /** The stored event that it was made of. */
  readonly seq: number
  /** Its place among the events that were made of that. */
  readonly nth: number
}

export const eventId = (ofSession: string, { nth, seq, turn }: Position): string =>
  `evt_${bareId(ofSession)}_${turn}_${seq}_${nth}`

/** Of an error that ends a stream behind an event: a reader that comes back goes on behind that one. */
export const errorEventId = (last: string): string => `${last}_0`

export const positionIn = (id: string, ofSession: string): Position | null => {
  const [prefix, turn, seq, nth] = numbersIn(id, ofSession)
  return prefix === "evt" && turn !== undefined && seq !== undefined && nth !== undefined ? { turn, seq, nth } : null
}

/** Its prefix and its numbers. A session's id may have what looks like them, so it is known before. */
const numbersIn = (id: string, ofSession: string): readonly [string?, ...ReadonlyArray<number>] => {
  const [prefix = "", ...rest] = id.split(`_${bareId(ofSession)}_`)
  const isForm = /^[a-z]{2,5}$/.test(prefix) && rest.length === 1 && /^\d{1,12}(_\d{1,12}){0,3}$/.test(rest[0]!)
  return isForm ? [prefix, ...rest[0]!.split("_").map(Number)] : []
}
