/** News as they are announced to other Troupes on the same ledger: ids and numbers, and nothing of what was stored. */
import { Option, Schema } from "effect"
import { AppName, SessionId } from "../domain/Ids.ts"
import type { RemovedSession, SessionNews } from "./SessionNews.ts"

/** What one commit, or some of the same session, stored. */
export type Told = Omit<SessionNews, "stored">

const Note = Schema.Union([
  Schema.TaggedStruct("Told", {
    session: SessionId,
    step: Schema.Number,
    event: Schema.Number,
    stepped: Schema.Boolean,
    settled: Schema.Array(Schema.Number),
    closed: Schema.Boolean
  }),
  Schema.TaggedStruct("Removed", { id: SessionId, app: AppName, createdAt: Schema.Number }),
  Schema.TaggedStruct("Moved", {}),
  Schema.TaggedStruct("Reading", { sessions: Schema.Array(SessionId) })
])
export type Note = typeof Note.Type

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(Note))

/** `null`: not one that this version knows. */
export const read = (text: string): Note | null => Option.getOrNull(decode(text))

/** Far below `longestNote`: of many settled turns the last are named, and whoever waits for another reads the ledger. */
const mostSettled = 50

export const ofTold = ({ settled, ...told }: Told): string =>
  JSON.stringify({ _tag: "Told", ...told, settled: settled.slice(-mostSettled) } satisfies Note)

export const ofRemoved = ({ app, createdAt, id }: RemovedSession): string =>
  JSON.stringify({ _tag: "Removed", id, app, createdAt } satisfies Note)

/** Many sessions have another owner, or none. */
export const moved = JSON.stringify({ _tag: "Moved" } satisfies Note)

/** An id has about 30 characters. */
const mostInOneNote = 40

export const ofReading = (sessions: ReadonlyArray<SessionId>): ReadonlyArray<string> =>
  Array.from({ length: Math.ceil(sessions.length / mostInOneNote) }, (_, n) =>
    JSON.stringify({
      _tag: "Reading",
      sessions: sessions.slice(n * mostInOneNote, (n + 1) * mostInOneNote)
    } satisfies Note)
  )

export const merged = (before: Told | undefined, told: Told): Told =>
  before === undefined
    ? told
    : {
        session: told.session,
        step: Math.max(before.step, told.step),
        event: Math.max(before.event, told.event),
        stepped: before.stepped || told.stepped,
        settled: [...before.settled, ...told.settled],
        closed: before.closed || told.closed
      }
