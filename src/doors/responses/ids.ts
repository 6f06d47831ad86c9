/** The ids of responses and of their items: made of a session's id and a turn's number, so that nothing is stored for them. */
import { bareId, sessionOfBare } from "../bareId.ts"

const form = /^resp_([A-Za-z0-9_-]{16,64})_([1-9]\d{0,8})$/

export interface Place {
  readonly session: string
  readonly turn: number
}

export const responseId = ({ session: id, turn }: Place): string => `resp_${bareId(id)}_${turn}`

/** `null`: it is no id of a response. */
export const placeOf = (id: string): Place | null => {
  const [, key, turn] = form.exec(id) ?? []
  return key === undefined ? null : { session: sessionOfBare(key), turn: Number(turn) }
}

/** `index`: of the item in its response's output, or in its input. */
export const itemId = (
  prefix: "msg" | "rs" | "fc" | "fco" | "in",
  { session: id, turn }: Place,
  index: number
): string => `${prefix}_${bareId(id)}_${turn}_${index}`
