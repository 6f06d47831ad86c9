/**
 * The OpenAPI document of the real program, as others use it: linters take it, and clients that were generated from it
 * compile under `strict` and run a whole session.
 */
import { assert, afterAll, beforeAll, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { makeWorkspace } from "../cli/program.ts"
import { openServer } from "../cli/server.ts"
import type { Server } from "../cli/server.ts"
import type { RunSession } from "./session.ts"

const home = import.meta.dirname
const clients = join(home, "clients")
const generated = join(clients, "generated")
const document = join(generated, "openapi.json")
const workspace = makeWorkspace()
let server: Server

beforeAll(async () => {
  server = await openServer(workspace)
  rmSync(generated, { recursive: true, force: true })
  mkdirSync(generated)
  writeFileSync(document, await (await fetch(`${server.url}/openapi.json`)).text())
})
afterAll(() => workspace.cleanUp())

/** Runs a program of the folder's own packages; what it says is in the error where it fails. */
const run = (script: string, ...args: ReadonlyArray<string>): string => {
  const env = { ...process.env, REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true" }
  const file = join(home, "node_modules", script)
  try {
    return execFileSync(process.execPath, [file, ...args], { cwd: home, encoding: "utf8", env, stdio: "pipe" })
  } catch (error) {
    const { stderr, stdout } = error as { readonly stderr: string; readonly stdout: string }
    throw new Error(`${script} ${args.join(" ")}\n${stdout}${stderr}`, { cause: error })
  }
}

describe("the OpenAPI document", () => {
  it("is taken by redocly's recommended rules, without a warning", () => {
    const report = JSON.parse(run("@redocly/cli/bin/cli.js", "lint", "--format=json", document)) as {
      readonly totals: Readonly<Record<string, number>>
    }
    assert.deepInclude(report.totals, { errors: 0, warnings: 0, ignored: 0 })
  })

  it("is taken by swagger-parser", async () => {
    const parser = (await import(join(home, "node_modules/@apidevtools/swagger-parser/lib/index.js"))) as {
      readonly default: { readonly validate: (file: string) => Promise<{ readonly openapi: string }> }
    }
    assert.strictEqual((await parser.default.validate(document)).openapi, "3.1.0")
  })
})

describe("clients that were generated from it", () => {
  beforeAll(() => {
    run("openapi-typescript/bin/cli.js", document, "--output", join(generated, "openapi-typescript.ts"))
    const hey = ["--input", document, "--output", join(generated, "hey"), "--client", "@hey-api/client-fetch"]
    run("@hey-api/openapi-ts/bin/run.js", ...hey, "--silent", "--no-log-file")
  })

  it("compile under strict", () => {
    run("typescript/bin/tsc", "--project", clients)
  })

  it.each(["fetchClient", "heyClient"])("run a whole session: %s", async (name) => {
    const { runSession } = (await import(join(clients, `${name}.ts`))) as { readonly runSession: RunSession }
    const { methods, sessionId, ...account } = await runSession(server)
    assert.match(sessionId, /^ses_/)
    assert.deepStrictEqual(account, {
      meta: { ticket: "T-1", labels: ["a"] },
      answer: "You said: Say hello. (turn 1)",
      streamedText: account.resultText,
      resultText: account.resultText,
      approvals: ["execute", "answered"],
      roles: ["user", "assistant", "user", "assistant", "tool", "assistant"],
      refusal: "session_closed"
    })
    assert.match(account.resultText, /allowed/)
    for (const method of ["session/update", "_troupe/turn", "_troupe/state", "_troupe/approval_settled"]) {
      assert.isTrue(methods.has(method), method)
    }
  })
})
