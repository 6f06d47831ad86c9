/**
 * `app/agents/[...path]/route.ts` of a Next.js app; the same function serves whatever answers a `Request` with a `Response`
 * (Hono, SvelteKit, `Deno.serve`).
 */
import process from "node:process"
import { openTroupe } from "troupe/promise"
import type { FetchHandler } from "troupe/promise"

const open = async (): Promise<FetchHandler> => {
  const { DATA_DIR = ".troupe" } = process.env
  const troupe = await openTroupe({ dataDir: DATA_DIR, defaultAgent: "demo" })
  return troupe.handler({ prefix: "/agents", app: "web" })
}

// Next.js loads this module anew when it changes: one Troupe for the process.
const shared = globalThis as { troupeHandler?: Promise<FetchHandler> }
const handler: FetchHandler = async (request) => {
  // Your own login goes here: whoever gets through acts as the app "web" of Troupe.
  shared.troupeHandler ??= open()
  return (await shared.troupeHandler)(request)
}

export const dynamic = "force-dynamic"
export { handler as DELETE, handler as GET, handler as PATCH, handler as POST }
