/** `GET steps`: the steps of all sessions that the caller sees, as they are committed. */
import { Effect } from "effect"
import { Hub } from "../Hub.ts"
import { get, routes } from "./route.ts"

export const layer = routes(
  Effect.map(Hub, (hub) => [
    get(
      "/steps",
      ({ caller, follow, query, request }) =>
        follow(hub.follow(caller, request.headers["last-event-id"] ?? query.get("after"))),
      { query: ["after"] }
    )
  ])
)
