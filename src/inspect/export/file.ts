/**
 * A session as a file: its JSON, or the page with it inside, which opens without a server.
 *
 * The template is built with the page. The session is data in a script element that no browser executes, and `<` is
 * written as a JSON escape, so that nothing in a transcript can end that element or begin another.
 */
import { Effect } from "effect"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import type { ProblemDetails } from "../../http/contract/Problem.ts"
import type { Exported } from "../sessionContract.ts"

const placeholder = "<!--troupe-export-->"

const notBuilt = {
  code: "page_not_built",
  status: 503,
  detail: "The page that the file is made of is not built. Run `npm run page`, or export as JSON (format=json)."
} as const satisfies ProblemDetails

export const asJson = (exported: Exported): string => `${JSON.stringify(exported, null, 1)}\n`

export const asHtml = (exported: Exported, builtPage: string): Effect.Effect<string, typeof notBuilt> =>
  Effect.tryPromise({ try: () => readFile(join(builtPage, "export.html"), "utf8"), catch: () => notBuilt }).pipe(
    Effect.flatMap((template) => {
      const at = template.indexOf(placeholder)
      if (at === -1) return Effect.fail(notBuilt)
      const data = JSON.stringify(exported).replaceAll("<", "\\u003c")
      const script = `<script type="application/json" id="troupe-export">${data}</script>`
      return Effect.succeed(`${template.slice(0, at)}${script}${template.slice(at + placeholder.length)}`)
    })
  )
