/** Files of agents' conversations: found, read by what is new, and put in place without losing or leaving anything. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { dirname, join } from "node:path"
import { ofClaude } from "../../src/agent/acp/conversationFiles.ts"
import * as ConversationFiles from "../../src/agent/ConversationFiles.ts"
import * as OfCodex from "../../src/agent/codex/conversationFiles.ts"
import { scratch } from "../ledger/samples.ts"

const thread = "01a1f884-ebd6-72a3-bc5b-ac83939bb715"
const rollout = `sessions/2026/11/20/rollout-2026-11-20T10-33-43-${thread}.jsonl`
const most = 1_000_000

const filesOf = (files: ConversationFiles.ConversationFiles | null): ConversationFiles.ConversationFiles => {
  if (files === null) throw new Error("there are none")
  return files
}

const write = (home: string, path: string, content: string) => {
  mkdirSync(dirname(join(home, path)), { recursive: true })
  writeFileSync(join(home, path), content)
}

const inHome = (test: (home: string, files: ConversationFiles.ConversationFiles) => Effect.Effect<unknown, unknown>) =>
  Effect.flatMap(scratch, (home) => test(home, filesOf(OfCodex.make({ CODEX_HOME: home })))).pipe(Effect.scoped)

const placed = (files: ConversationFiles.ConversationFiles, content: string, path = rollout) =>
  ConversationFiles.place(files, thread, { path, content: Buffer.from(content) })

describe("where they are", () => {
  it.effect("codex's by the thread in their names, whatever day they are of", () =>
    inHome((home, files) =>
      Effect.gen(function* () {
        const find = (id: string) => Effect.promise(() => files.find(id))
        assert.isNull(yield* find(thread))
        write(home, rollout, "{}\n")
        write(home, `sessions/2027/01/02/rollout-2027-01-02T00-00-00-${thread.replace("01", "02")}.jsonl`, "{}\n")
        write(home, "sessions/notes.txt", "")
        assert.strictEqual(yield* find(thread), rollout)
        assert.isNull(yield* find("../../../../etc/passwd"))
      })
    )
  )

  it("codex's home is that of its environment, and is known only where it is absolute", () => {
    assert.strictEqual(OfCodex.make({ HOME: "/home/me" })?.home, "/home/me/.codex")
    assert.isNull(OfCodex.make({}))
    assert.isNull(OfCodex.make({ CODEX_HOME: "here" }))
    assert.strictEqual(ofClaude({ HOME: "/home/me" }, "/srv")?.home, "/home/me/.claude")
    assert.strictEqual(ofClaude({ HOME: "/home/me", CLAUDE_CONFIG_DIR: "/c" }, "/srv")?.home, "/c")
    assert.isNull(ofClaude({}, "/srv"))
  })

  it.effect("Claude's by the session's directory, or any other", () =>
    Effect.gen(function* () {
      const home = yield* scratch
      const find = (cwd: string) =>
        Effect.promise(() => filesOf(ofClaude({ CLAUDE_CONFIG_DIR: home }, cwd)).find(thread))
      assert.isNull(yield* find("/srv/a.b/c"))
      write(home, `projects/-elsewhere/${thread}.jsonl`, "{}\n")
      assert.strictEqual(yield* find("/srv/a.b/c"), `projects/-elsewhere/${thread}.jsonl`)
      write(home, `projects/-srv-a-b-c/${thread}.jsonl`, "{}\n")
      assert.strictEqual(yield* find("/srv/a.b/c"), `projects/-srv-a-b-c/${thread}.jsonl`)
    }).pipe(Effect.scoped)
  )

  it("no path leaves the agent's own directories, and none is another conversation's", () => {
    const codex = filesOf(OfCodex.make({ CODEX_HOME: "/codex" }))
    const claude = filesOf(ofClaude({ CLAUDE_CONFIG_DIR: "/claude" }, "/srv"))
    const transcript = `projects/-srv/${thread}.jsonl`
    assert.isTrue(codex.isPathOf(rollout, thread))
    assert.isTrue(claude.isPathOf(transcript, thread))
    for (const [files, path] of [
      [codex, transcript],
      [codex, rollout.replace("sessions", "..")],
      [codex, `../${rollout}`],
      [codex, `/${rollout}`],
      [codex, rollout.replace("2026", "..")],
      [codex, rollout.replace(thread, thread.replace("01", "02"))],
      [codex, "auth.json"],
      [claude, rollout],
      [claude, `projects/../${thread}.jsonl`],
      [claude, `projects/-srv/../${thread}.jsonl`],
      [claude, `projects/a/b/${thread}.jsonl`],
      [claude, "settings.json"],
      [claude, `projects/-srv/${thread}.json`]
    ] as const) {
      assert.isFalse(files.isPathOf(path, thread), path)
    }
    assert.isFalse(codex.isPathOf(rollout.replace(thread, ".."), ".."))
    assert.isFalse(claude.isPathOf("projects/-srv/../x.jsonl", "../x"))
  })
})

describe("reading one", () => {
  it.effect("gives what is new behind what is known, in whole lines", () =>
    inHome((home, files) =>
      Effect.gen(function* () {
        const read = (known: ConversationFiles.Extent | null, maxBytes = most) =>
          ConversationFiles.read(files, rollout, known, maxBytes)
        assert.deepStrictEqual(yield* read(null), { _tag: "Missing" })
        write(home, rollout, '{"a":1}\n{"b":2}\n{"half')
        const first = yield* read(null)
        assert.deepInclude(first, { _tag: "Read", bytes: 16, from: 0, data: Buffer.from('{"a":1}\n{"b":2}\n') })
        if (first._tag !== "Read") return
        appendFileSync(join(home, rollout), '":3}\n')
        assert.deepInclude(yield* read(first), { bytes: 27, from: 16, data: Buffer.from('{"half":3}\n') })
        // Another beginning: all of it.
        assert.deepInclude(yield* read({ ...first, hash: "0" }), { bytes: 27, from: 0 })
        write(home, rollout, "{}\n")
        assert.deepInclude(yield* read(first), { bytes: 3, from: 0 })
        assert.deepStrictEqual(yield* read(null, 2), { _tag: "TooLarge" })
      })
    )
  )

  it.effect("follows no link out of the agent's home", () =>
    inHome((home, files) =>
      Effect.gen(function* () {
        const outside = yield* scratch
        write(outside, "passwd", "root\n")
        mkdirSync(dirname(join(home, rollout)), { recursive: true })
        symlinkSync(join(outside, "passwd"), join(home, rollout))
        const error = yield* Effect.flip(ConversationFiles.read(files, rollout, null, most))
        assert.strictEqual(error.message, "it is no file")
      }).pipe(Effect.scoped)
    )
  )
})

describe("putting one in place", () => {
  it.effect("makes what is not there, readable for its owner only, and leaves nothing else", () =>
    inHome((home, files) =>
      Effect.gen(function* () {
        assert.strictEqual(yield* placed(files, "a\nb\n"), "Placed")
        assert.strictEqual(readFileSync(join(home, rollout), "utf8"), "a\nb\n")
        assert.strictEqual(statSync(join(home, rollout)).mode & 0o777, 0o600)
        assert.deepStrictEqual(readdirSync(dirname(join(home, rollout))), [rollout.split("/").at(-1)])
        assert.strictEqual(yield* placed(files, "a\nb\n"), "Kept")
      })
    )
  )

  it.effect("keeps what has more, and takes the place of an older state, also of a cut one", () =>
    inHome((home, files) =>
      Effect.gen(function* () {
        write(home, rollout, "a\nb\nc\n")
        assert.strictEqual(yield* placed(files, "a\nb\n"), "Kept")
        assert.strictEqual(readFileSync(join(home, rollout), "utf8"), "a\nb\nc\n")
        write(home, rollout, "a\nb\nhal")
        assert.strictEqual(yield* placed(files, "a\nb\nc\nd\n"), "Replaced")
        assert.strictEqual(readFileSync(join(home, rollout), "utf8"), "a\nb\nc\nd\n")
        assert.lengthOf(readdirSync(dirname(join(home, rollout))), 1)
      })
    )
  )

  it.effect("sets aside what went another way, and loses nothing of it", () =>
    inHome((home, files) =>
      Effect.gen(function* () {
        write(home, rollout, "a\nother\n")
        assert.strictEqual(yield* placed(files, "a\nb\n"), "SetAside")
        assert.strictEqual(readFileSync(join(home, rollout), "utf8"), "a\nb\n")
        const names = readdirSync(dirname(join(home, rollout)))
        const aside = names.filter((name) => name.includes(".jsonl.troupe-"))
        assert.deepStrictEqual([names.length, aside.length], [2, 1])
        assert.strictEqual(readFileSync(join(home, dirname(rollout), aside[0] ?? ""), "utf8"), "a\nother\n")
        // Its agent does not take it for a conversation.
        assert.strictEqual(yield* Effect.promise(() => files.find(thread)), rollout)
      })
    )
  )

  it.effect("goes where the agent has it already", () =>
    inHome((home, files) =>
      Effect.gen(function* () {
        const other = `sessions/2026/11/21/rollout-2026-11-21T00-00-00-${thread}.jsonl`
        write(home, other, "a\n")
        assert.strictEqual(yield* placed(files, "a\nb\n"), "Replaced")
        assert.strictEqual(readFileSync(join(home, other), "utf8"), "a\nb\n")
        assert.isFalse(existsSync(join(home, rollout)))
      })
    )
  )

  it.effect("refuses a path that is not the agent's, and a link out of its home, and writes nothing", () =>
    inHome((home, files) =>
      Effect.gen(function* () {
        const outside = yield* scratch
        const wrong = yield* Effect.flip(placed(files, "a\n", "../escaped.jsonl"))
        assert.strictEqual(wrong.message, "its path is none of this agent's")
        symlinkSync(outside, join(home, "sessions"))
        const led = yield* Effect.flip(placed(files, "a\n"))
        assert.strictEqual(led.message, "its directory is outside of the agent's home")
        assert.deepStrictEqual([readdirSync(home), readdirSync(outside)], [["sessions"], []])
      }).pipe(Effect.scoped)
    )
  )
})
