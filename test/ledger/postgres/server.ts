/**
 * The PostgreSQL server of a test run. It is vitest's global setup, and gives the server's address as `inject("postgres")`;
 * `null` where none can be had.
 */
import type { TestProject } from "vitest/node"
import { PostgresProgram } from "./PostgresProgram.ts"

declare module "vitest" {
  interface ProvidedContext {
    postgres: { readonly url: string; readonly pid: number } | null
  }
}

export default async (project: TestProject) => {
  const server = await PostgresProgram.open()
  if (server === null) console.log("No PostgreSQL can be had here: its tests are skipped.")
  else console.log(`The ledger is tested on ${server.what}.`)
  const pid = server?.pid
  project.provide("postgres", server === null || pid === undefined ? null : { url: server.url, pid })
  return async () => {
    await server?.close()
  }
}
