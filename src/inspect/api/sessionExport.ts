/** One session as a file to keep or to hand on; without texts unless they are asked for, and never with secrets. */
import { Effect, Semaphore } from "effect"
import { HttpServerResponse } from "effect/http"
import { InvalidRequest } from "../../domain/Refusal.ts"
import * as Collect from "../export/collect.ts"
import { asHtml, asJson } from "../export/file.ts"
import { builtPage } from "../Page.ts"
import { get, routes } from "./route.ts"
import { idOf } from "./sessionReads.ts"

/** Each holds a file of up to some 40 MB in memory until it is sent. */
const atOnce = 2

export const layer = routes(
  Effect.gen(function* () {
    const collect = yield* Collect.make
    const places = yield* Semaphore.make(atOnce)

    return [
      get("/sessions/:id/export", (asked) =>
        Effect.gen(function* () {
          const { query } = asked
          const format = yield* oneOf(query, "format", ["json", "html"])
          const texts = (yield* oneOf(query, "texts", ["0", "1"])) === "1"
          const exported = yield* collect(asked.caller, idOf(asked), texts)
          const body = format === "json" ? asJson(exported) : yield* asHtml(exported, builtPage)
          const name = `troupe-${exported.detail.session.session_id}.${format}`
          return HttpServerResponse.text(body, {
            contentType: format === "json" ? "application/json" : "text/html; charset=utf-8",
            headers: {
              "content-disposition": `attachment; filename="${name}"`,
              "cache-control": "no-store",
              // Opened from this address it would be a page of ours; saved, it has its own policy inside.
              "content-security-policy": "sandbox; default-src 'none'",
              "x-content-type-options": "nosniff"
            }
          })
        }).pipe(places.withPermit)
      )
    ]
  })
)

/** The first is what is meant where nothing is said. */
const oneOf = <A extends string>(query: URLSearchParams, name: string, known: readonly [A, ...ReadonlyArray<A>]) => {
  const text = query.get(name) ?? known[0]
  const found = known.find((one) => one === text)
  return found === undefined
    ? Effect.fail(new InvalidRequest({ field: name, problem: `must be one of ${known.join(", ")}.` }))
    : Effect.succeed(found)
}
