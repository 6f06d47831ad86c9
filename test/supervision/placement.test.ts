/** Where the files of a request are, on a real disk with links. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { NodeServices } from "@effect/platform-node"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Permissions } from "../../src/domain/Permissions.ts"
import type { RequestedAction } from "../../src/domain/RequestedAction.ts"
import * as Placement from "../../src/supervision/placement.ts"

let root = ""
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "troupe-placement-"))
  for (const directory of ["repo/src", "repo/.git/hooks", "outside", "files/app/id1"]) {
    mkdirSync(join(root, directory), { recursive: true })
  }
  writeFileSync(join(root, "repo/src/a.ts"), "")
  writeFileSync(join(root, "files/app/id1/note.txt"), "")
  symlinkSync(join(root, "outside"), join(root, "repo/out"))
  symlinkSync(join(root, "outside/new.txt"), join(root, "repo/dangling"))
  symlinkSync(join(root, "repo/.git"), join(root, "repo/innocent"))
  symlinkSync("src", join(root, "repo/same"))
  symlinkSync("loop", join(root, "repo/loop"))
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const ruleOf = (...paths: ReadonlyArray<string>) =>
  // oxlint-disable-next-line unicorn/no-thenable -- a rule says what is then, as on the wire
  paths.map((path) => ({ match: { path }, then: "approve" as const }))

const placed = (paths: ReadonlyArray<string>, permissions: Permissions = "deny") =>
  placedOf({ _tag: "Edit", paths }, permissions)

const placedOf = (action: RequestedAction, permissions: Permissions = "deny") =>
  Placement.make.pipe(
    Effect.flatMap((place) =>
      place(action, { cwd: join(root, "repo"), attachments: join(root, "files/app"), permissions })
    ),
    Effect.provide(NodeServices.layer),
    Effect.runPromise
  )

describe("the place of a request's files", () => {
  it("is inside for files of the directory, also for those that do not exist yet", async () => {
    for (const path of ["src/a.ts", ".", "src/new/deep.ts", "same/a.ts", "src/../src/b", join(root, "repo/x")])
      assert.isTrue((await placed([path])).inside, path)
  })

  it("is not inside where a path, or a link in it, leads out, or where one of several does", async () => {
    // Beside the link to a program that tidies the path first, and outside to the kernel.
    for (const path of ["out/../x", "out/../repo2/x", "src/../out/../x", `${root}/repo/out/../x`])
      assert.isFalse((await placed([path])).inside, path)
    for (const path of ["../outside/x", "out/x", "out", "dangling", "loop", "~/x", "/etc/passwd", "", "a\u0000/../b"])
      assert.isFalse((await placed([path])).inside, path)
    assert.isFalse((await placed(["src/a.ts", "out/x"])).inside)
    assert.isFalse((await placed([])).inside)
    assert.isFalse((await placed([join(root, "repo-evil/x")])).inside)
  })

  it("of a command is where it runs, here where the request does not say", async () => {
    const elsewhere = async (...directories: ReadonlyArray<string>) =>
      (await placedOf({ _tag: "Command", text: "make", argv: ["make"], directories })).elsewhere
    for (const directory of [".", "src", join(root, "repo/src"), "same"]) assert.isFalse(await elsewhere(directory))
    assert.isFalse(await elsewhere())
    for (const directory of ["..", "out", "/", "~", join(root, "repo-evil")]) assert.isTrue(await elsewhere(directory))
    assert.isTrue(await elsewhere("src", "out"))
  })

  it("is protected where git or an agent reads its settings, by any name", async () => {
    for (const path of [
      ".git/hooks/post-checkout",
      "innocent/config",
      "src/.Git/x",
      ".claude/settings.json",
      ".mcp.json",
      "sub/.env",
      ".acpxrc.json",
      "opencode.json",
      ".npmrc"
    ])
      assert.isTrue((await placed([path])).protected, path)
    for (const path of ["src/a.ts", ".github/x", "git"]) assert.isFalse((await placed([path])).protected, path)
  })

  it("is attached for a file that the app stored, and not for the directories above it", async () => {
    assert.isTrue((await placed([join(root, "files/app/id1/note.txt")])).attached)
    for (const path of ["files/app", "files/app/id1", "files/other/id1/note.txt", "files/app/../other/a/b"])
      assert.isFalse((await placed([join(root, path)])).attached, path)
  })

  it("is below a rule's path with links resolved on both sides", async () => {
    const permissions: Permissions = {
      default: "deny",
      rules: ruleOf("src", "same", "out")
    }
    const inSrc = await placed(["src/a.ts"], permissions)
    assert.deepStrictEqual([inSrc.allBelow("src"), inSrc.allBelow("same"), inSrc.allBelow("out")], [true, true, false])
    const whole = await placed([".git/hooks/x"], { default: "deny", rules: ruleOf(".") })
    const named = await placed([".git/hooks/x"], { default: "deny", rules: ruleOf(".git/hooks") })
    assert.deepStrictEqual([whole.allBelow("."), named.allBelow(".git/hooks")], [false, true])
    const both = await placed(["src/a.ts", "out/x"], permissions)
    assert.deepStrictEqual([both.allBelow("src"), both.anyBelow("src"), both.anyBelow("out")], [false, true, true])
  })
})
