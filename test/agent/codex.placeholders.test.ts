/** The empty directories that codex's sandbox leaves are removed; everything else in a workspace stays. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, it } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import * as Placeholders from "../../src/agent/codex/placeholders.ts"

it.live("only empty directories that came since are removed from a workspace", () =>
  Effect.gen(function* () {
    const workspace = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped()
    mkdirSync(join(workspace, ".git"))
    const removePlaceholders = yield* Placeholders.remember(workspace)
    for (const name of [".codex", ".agents", ".aws"]) mkdirSync(join(workspace, name))
    writeFileSync(join(workspace, ".agents", "notes.md"), "kept")
    yield* removePlaceholders
    yield* removePlaceholders
    const remaining = [".git", ".codex", ".agents", ".aws"].filter((name) => existsSync(join(workspace, name)))
    assert.deepStrictEqual(remaining, [".git", ".agents"])
  }).pipe(Effect.provide(NodeServices.layer))
)
