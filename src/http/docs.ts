/** The page at `/docs`, one file that `npm run page` has made (`inspect/page/docs`). It shows `/openapi.json`, and tries it. */
import { Effect } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { builtPage, notBuilt } from "./builtPage.ts"
import { problemResponse } from "./problems.ts"
import { RequestId } from "./RequestId.ts"

const file = join(builtPage, "docs.html")

/** Read for each visit: a checkout may be built while the server runs, and visits are few. */
export const layer = HttpRouter.add(
  "GET",
  "/docs",
  Effect.tryPromise(() => readFile(file, "utf8")).pipe(
    Effect.map((text) => HttpServerResponse.text(text, { contentType: "text/html; charset=utf-8" })),
    Effect.catch(() => Effect.map(RequestId, (requestId) => problemResponse(notBuilt, requestId)))
  )
)
