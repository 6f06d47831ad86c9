/** Refusals for clients that have no routes of the HTTP API. */
import { assert, it } from "@effect/vitest"
import { withoutRoutes } from "../../src/doors/withoutRoutes.ts"

it.each([
  [
    "No session of this app has that id. GET /sessions lists the ones there are.",
    "No session of this app has that id."
  ],
  [
    'No agent is called "x". GET /agents lists the ones there are; troupe.config.json adds more.',
    'No agent is called "x". troupe.config.json adds more.'
  ],
  [
    "It may be tried again in 5 s, or at once after POST /admin/sessions/ses_1/unpark.",
    "It may be tried again in 5 s."
  ],
  [
    "demo takes no images (capabilities.images of GET /agents). Upload the file, and attach it with files.",
    "demo takes no images. Upload the file, and attach it with files."
  ],
  [
    "demo can't compact; GET /agents tells which agents can. It does so by itself, if at all.",
    "demo can't compact. It does so by itself, if at all."
  ],
  ["cwd must be an absolute path.", "cwd must be an absolute path."]
])("%s", (message, told) => assert.strictEqual(withoutRoutes(message), told))
