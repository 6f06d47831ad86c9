/**
 * `GET sessions/{id}/stream`: the steps and events of one session as server-sent events. The id of each, `e12.s7`, is the
 * reader's position, so a browser that reconnects with `Last-Event-ID` misses nothing and gets nothing twice.
 */
import { Effect, Stream } from "effect"
import { Inspection } from "../../services/Inspection.ts"
import type { SessionUpdate, StreamPosition } from "../../services/Inspection.ts"
import { InvalidRequest } from "../../domain/Refusal.ts"
import type { StreamId } from "../sessionContract.ts"
import { eventDto, stepDto } from "../detail/dto.ts"
import { get, routes } from "./route.ts"
import { idOf } from "./sessionReads.ts"

export const layer = routes(
  Effect.gen(function* () {
    const inspection = yield* Inspection

    return [
      get(
        "/sessions/:id/stream",
        Effect.fnUntraced(function* (context) {
          const id = idOf(context)
          // A browser that reconnects sends both, and the address is the one it first had.
          const { query, request } = context
          const position = yield* positionIn(request.headers["last-event-id"] ?? query.get("after"), "after")
          const updates = yield* inspection.follow(context.caller, id, position)
          return yield* context.follow(Stream.map(updates, textOf), { isCompressed: true })
        }),
        { query: ["after"] }
      )
    ]
  })
)

/** Of the id of a message, or of none. */
export const positionIn = (text: string | null, field: string): Effect.Effect<StreamPosition, InvalidRequest> => {
  if (text === null || text === "") return Effect.succeed({ event: 0, step: 0 })
  const [, event, step] = /^e(\d{1,15})\.s(\d{1,15})$/.exec(text) ?? []
  return event === undefined || step === undefined
    ? Effect.fail(new InvalidRequest({ field, problem: "must be the id of a message of this stream: e12.s7." }))
    : Effect.succeed({ event: Number(event), step: Number(step) })
}

export const textOf = (update: SessionUpdate): string => {
  switch (update._tag) {
    case "Event":
      return textAt(update.position, "event", eventDto(update.event))
    case "Step":
      return textAt(update.position, "step", stepDto(update.step))
    case "Live":
      return "event: live\ndata: {}\n\n"
    case "Changed":
      return "event: changed\ndata: {}\n\n"
  }
}

const textAt = ({ event, step }: StreamPosition, kind: string, data: object): string => {
  const id: StreamId = `e${event}.s${step}`
  return `id: ${id}\nevent: ${kind}\ndata: ${JSON.stringify(data)}\n\n`
}
