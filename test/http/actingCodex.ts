/** A scripted codex that does what its prompts say (see the fixture), and a client that returns bodies as they are. */
import { Effect } from "effect"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type { AgentSpec } from "../../src/domain/Settings.ts"
import { dataDir } from "../surface/harness.ts"

/** `requests`: the requests that any of its processes received, in order. */
export const actingCodex = Effect.map(dataDir, (directory) => {
  const file = join(directory, "heard")
  const codex: AgentSpec = {
    protocol: "codex-app-server",
    command: [process.execPath, new URL("../fixtures/agents/codex-acts.ts", import.meta.url).pathname],
    env: { RECEIVED: file }
  }
  const requests = Effect.sync(() =>
    existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(0, -1) : ([] as ReadonlyArray<string>)
  )
  return { codex, requests }
})

/** A POST where there is a body. */
export const call = (base: string, path: string, token: string, body?: unknown) =>
  Effect.promise(async (signal) => {
    const response = await fetch(`${base}${path}`, {
      signal,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) })
    })
    const retryAfter = response.headers.get("retry-after")
    return { status: response.status, body: (await response.json()) as Readonly<Record<string, unknown>>, retryAfter }
  })
