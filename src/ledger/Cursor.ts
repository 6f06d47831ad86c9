/** The position at which a page of sessions ended. Apps send it back for the next page; to them it is opaque. */
import { Option } from "effect"

export interface Cursor {
  readonly createdAt: number
  readonly id: string
}

export const cursorOf = ({ createdAt, id }: Cursor): string => Buffer.from(`${createdAt} ${id}`).toString("base64url")

/** `None` for a text that `cursorOf` can't have made. */
export const parseCursor = (text: string): Option.Option<Cursor> => {
  const match = /^(\d{1,16}) (\S+)$/.exec(Buffer.from(text, "base64url").toString())
  return match?.[1] === undefined || match[2] === undefined
    ? Option.none()
    : Option.some({ createdAt: Number(match[1]), id: match[2] })
}
