/** `GET export`: one session as a file, without texts unless they are asked for, and never with secrets; or its machine's chart. */
import { Effect, Semaphore } from "effect"
import { HttpServerResponse } from "effect/http"
import { sessionMachine } from "../../../machines/session/machine.ts"
import { InvalidRequest } from "../../domain/Refusal.ts"
import { Inspection } from "../../services/Inspection.ts"
import { layouts } from "../chart/layouts.ts"
import * as Chart from "../Chart.ts"
import * as Collect from "../export/collect.ts"
import { asHtml, asJson } from "../export/file.ts"
import type { ExportFormat } from "../sessionContract.ts"
import { builtPage } from "../../http/builtPage.ts"
import { get, routes } from "./route.ts"
import type { RouteContext } from "./route.ts"
import { idOf } from "./sessionReads.ts"

/** At a time: each holds a file of up to some 40 MB in memory until it is sent. */
const mostExports = 2

const formats = ["json", "html", "svg", "dot", "mermaid"] as const satisfies ReadonlyArray<ExportFormat>

/** How the name of each ends, and what it is. */
const files = {
  json: ["json", "application/json"],
  html: ["html", "text/html; charset=utf-8"],
  svg: ["svg", "image/svg+xml"],
  dot: ["dot", "text/vnd.graphviz; charset=utf-8"],
  mermaid: ["mmd", "application/vnd.mermaid"]
} as const satisfies Record<ExportFormat, readonly [string, string]>

export const layer = routes(
  Effect.gen(function* () {
    const inspection = yield* Inspection
    const collect = yield* Collect.make
    const exports = yield* Semaphore.make(mostExports)

    const whole = Effect.fnUntraced(function* (context: RouteContext, format: "html" | "json") {
      const texts = (yield* oneOf(context.query, "texts", ["0", "1"])) === "1"
      const exported = yield* collect(context.caller, idOf(context), texts)
      return format === "json" ? asJson(exported) : yield* asHtml(exported, builtPage)
    }, exports.withPermit)

    /** The state that it is in is marked. */
    const chart = Effect.fnUntraced(function* (context: RouteContext, format: Exclude<ExportFormat, "html" | "json">) {
      if (context.query.get("texts") === "1")
        return yield* new InvalidRequest({ field: "texts", problem: `has to be 0: ${format} has no texts.` })
      yield* oneOf(context.query, "texts", ["0"])
      const { view } = yield* inspection.session(context.caller, idOf(context))
      return Chart.render(sessionMachine, layouts.session, format, view.substate)
    })

    return [
      get(
        "/sessions/:id/export",
        Effect.fnUntraced(function* (context) {
          const format = yield* oneOf(context.query, "format", formats)
          const body =
            format === "json" || format === "html" ? yield* whole(context, format) : yield* chart(context, format)
          const [ending, contentType] = files[format]
          return HttpServerResponse.text(body, {
            contentType,
            headers: {
              "content-disposition": `attachment; filename="troupe-${idOf(context)}.${ending}"`,
              "cache-control": "no-store",
              // Opened at this address it would run as a page of this server; a saved file has its own policy inside.
              "content-security-policy": "sandbox; default-src 'none'",
              "x-content-type-options": "nosniff"
            }
          })
        }),
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
