/** `GET export`: one session as a file, without texts unless they are asked for, and never with secrets. */
import { Effect, Semaphore } from "effect"
import { HttpServerResponse } from "effect/http"
import { InvalidRequest } from "../../domain/Refusal.ts"
import * as Collect from "../export/collect.ts"
import { asHtml, asJson } from "../export/file.ts"
import { builtPage } from "../../http/builtPage.ts"
import { get, routes } from "./route.ts"
import { idOf } from "./sessionReads.ts"

/** At a time: each holds a file of up to some 40 MB in memory until it is sent. */
const mostExports = 2

export const layer = routes(
  Effect.gen(function* () {
    const collect = yield* Collect.make
    const exports = yield* Semaphore.make(mostExports)

    return [
      get(
        "/sessions/:id/export",
        (context) =>
          Effect.gen(function* () {
            const { query } = context
            const format = yield* oneOf(query, "format", ["json", "html"])
            const texts = (yield* oneOf(query, "texts", ["0", "1"])) === "1"
            const exported = yield* collect(context.caller, idOf(context), texts)
            const body = format === "json" ? asJson(exported) : yield* asHtml(exported, builtPage)
            const name = `troupe-${exported.detail.session.session_id}.${format}`
            return HttpServerResponse.text(body, {
              contentType: format === "json" ? "application/json" : "text/html; charset=utf-8",
              headers: {
                "content-disposition": `attachment; filename="${name}"`,
                "cache-control": "no-store",
                // Opened at this address it would run as a page of this server; a saved file has its own policy inside.
                "content-security-policy": "sandbox; default-src 'none'",
                "x-content-type-options": "nosniff"
              }
            })
          }).pipe(exports.withPermit),
        { query: ["format", "texts"] }
      )
    ]
  })
)

/** The first value is the default. */
const oneOf = <A extends string>(query: URLSearchParams, name: string, values: readonly [A, ...ReadonlyArray<A>]) => {
  const text = query.get(name) ?? values[0]
  const value = values.find((allowed) => allowed === text)
  return value === undefined
    ? Effect.fail(new InvalidRequest({ field: name, problem: `must be one of ${values.join(", ")}.` }))
    : Effect.succeed(value)
}
