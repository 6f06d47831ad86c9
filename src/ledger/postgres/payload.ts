/** The text of a notification: who sent it, who has missed something before, and the notes, each on a line of its own. */

export interface Payload {
  readonly from: string
  readonly missedBy: MissedBy
  readonly notes: ReadonlyArray<string>
}

/** One Troupe's token, or one of the two below. */
export type MissedBy = string

export const nobody: MissedBy = "-"
export const everybody: MissedBy = "*"

/** PostgreSQL takes less than 8,000 bytes. */
const longest = 7_900

/** As many as it takes; at least one, which may have no notes. Only the first tells who has missed something. */
export const of = (from: string, missedBy: MissedBy, notes: ReadonlyArray<string>): ReadonlyArray<string> => {
  const payloads: Array<string> = []
  let payload = `${from} ${missedBy}`
  let bytes = payload.length
  for (const note of notes) {
    const length = 1 + Buffer.byteLength(note)
    if (bytes + length > longest) {
      payloads.push(payload)
      payload = `${from} ${nobody}`
      bytes = payload.length
    }
    payload += `\n${note}`
    bytes += length
  }
  return [...payloads, payload]
}

/** `null`: another program's. */
export const read = (text: string): Payload | null => {
  const [head = "", ...notes] = text.split("\n")
  const [, from, missedBy] = /^([0-9a-f-]{36}) (\S+)$/.exec(head) ?? []
  return from === undefined || missedBy === undefined ? null : { from, missedBy, notes }
}
