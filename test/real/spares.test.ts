/**
 * Spares of the real agents: they were started in an empty directory, and work in the session's own: its commands, its MCP
 * servers, its files.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { claude, codex } from "./harness/agents.ts"
import { open, recalled } from "./harness/open.ts"
import { until } from "./harness/until.ts"

/** An MCP server that leaves the directory in which it was started, and answers nothing. */
const tellsDirectory = (file: string) => ({
  name: "where",
  command: process.execPath,
  args: ["-e", `require("node:fs").writeFileSync(${JSON.stringify(file)}, process.cwd()); process.stdin.resume()`]
})

describe.each([codex, claude])("$name", ({ holder, name: agent }) => {
  it.live(
    "serves a session of another directory with its spare, which then works there as one of the session's own",
    () =>
      Effect.gen(function* () {
        const settings = { TROUPE_WARM_SPARES: "1" }
        const { app, installation, session } = yield* open({ agent, permissions: "approve_all" }, settings)
        yield* session.turn("hello")
        const own = (yield* session.becomes("awake", ({ process }) => process.pid !== null)).process.pid
        const holders = () => installation.running().filter(({ command }) => holder.test(command))
        const ownLease = holders().find(({ pid }) => pid === own)?.lease
        assert.isDefined(ownLease, "the session's own process")
        // Where the turn took longer than a second it has begun by now.
        const spares = () => holders().filter(({ lease }) => lease !== undefined && lease !== ownLease)
        yield* until("a spare", () => spares().length > 0)
        // It shakes hands, and is told of then.
        yield* Effect.sleep("5 seconds")
        const waiting = spares().map(({ pid }) => pid)
        const cwd = installation.file("elsewhere")
        mkdirSync(cwd)
        writeFileSync(join(cwd, "AGENTS.md"), "The word of this directory is heron.")
        const mcpFile = installation.file("mcp-directory")
        const other = yield* app.create({
          agent,
          cwd,
          permissions: "approve_all",
          mcp_servers: [tellsDirectory(mcpFile)]
        })
        assert.strictEqual((yield* other.turn("RUN:pwd > where; ls")).status, 200)
        const { process } = yield* other.becomes("awake", ({ process }) => process.pid !== null)
        assert.include(waiting, process.pid, "it has the spare")
        assert.strictEqual(readFileSync(join(cwd, "where"), "utf8").trim(), cwd)
        assert.isFalse(existsSync(installation.file("where")))
        yield* until("the MCP server", () => existsSync(mcpFile))
        assert.strictEqual(readFileSync(mcpFile, "utf8"), cwd)
        yield* other.turn("the bird is a heron")
        assert.include(recalled((yield* other.turn("RECALL")).body), "the bird is a heron")
      })
  )
})
