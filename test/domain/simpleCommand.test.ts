/** What counts as one simple command, compared with what a real shell makes of it. */
import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { simpleCommand, unwrapped } from "../../src/domain/simpleCommand.ts"

describe("a simple command", () => {
  it("is split into its words, with quotes taken off", () => {
    assert.deepStrictEqual(simpleCommand("git diff --stat"), ["git", "diff", "--stat"])
    assert.deepStrictEqual(simpleCommand(`git commit -m 'a; b' --x="c d" ''`), [
      "git",
      "commit",
      "-m",
      "a; b",
      "--x=c d",
      ""
    ])
    assert.deepStrictEqual(simpleCommand("  ls  -l "), ["ls", "-l"])
    assert.deepStrictEqual(simpleCommand("cat Übung.txt"), ["cat", "Übung.txt"])
  })

  it("is not a line with an operator, an expansion, an escape, a wildcard, an assignment or another line", () => {
    const lines =
      "a;b|a&b|a && b|a$x|a $(b)|a `b`|a <b|a >b|a (b)|a {b,c}|a ~|a *|a ?|a [b]|a #b|!a|a\\ b|X=1 a|a 'b|a \"b"
    for (const line of [
      ...lines.split("|"),
      'a "$b"',
      'a "`b`"',
      "a|b",
      "a\nb",
      "a\rb",
      "a\tb",
      "a\u0000b",
      "a\u00a0b",
      "a\u2028b"
    ])
      assert.isNull(simpleCommand(line), JSON.stringify(line))
    for (const line of ["", " ", "''", "eval ls", "if a", ". x", "x".repeat(8_193)])
      assert.isNull(simpleCommand(line), line)
  })

  it("is found within the shell that an agent wraps around it", () => {
    assert.strictEqual(unwrapped("/bin/bash -lc 'git status'"), "git status")
    assert.strictEqual(unwrapped("/bin/bash -lc 'git status; rm x'"), "git status; rm x")
    assert.strictEqual(unwrapped(`bash -c "git status"`), "git status")
    assert.strictEqual(unwrapped("/usr/local/bin/zsh -lc 'git status'"), "git status")
    assert.strictEqual(unwrapped(`bash -lc 'echo '"'"'a'"'"''`), "echo 'a'")
    for (const line of [
      "git status",
      "bash -lc 'a' b",
      "bash -lc 'a'; b",
      "bash x 'a'",
      "/tmp/x/notbash -c a",
      // A program of the repository that calls itself a shell.
      "/repo/bash -lc 'git status'",
      "/bin/../repo/bash -lc 'git status'",
      "./bash -lc 'git status'",
      "bash -ic 'a'"
    ])
      assert.strictEqual(unwrapped(line), line)
  })

  it("is what a real shell runs as one program with these words, for 400 random lines made to evade", () => {
    const folder = mkdtempSync(join(tmpdir(), "troupe-shell-"))
    const log = join(folder, "log")
    writeFileSync(
      join(folder, "run"),
      `#!/bin/sh\nprintf '%s\\n' "$#" >>"$TROUPE_LOG"\nprintf '%s\\0' "$@" >>"$TROUPE_LOG"\n`,
      { mode: 0o755 }
    )
    try {
      let simple = 0
      for (let seed = 1; seed <= 400; seed++) {
        const line = `run ${randomLine(seed)}`
        const argv = simpleCommand(line)
        if (argv === null) continue
        simple++
        writeFileSync(log, "")
        execFileSync("/bin/bash", ["-c", line], {
          cwd: folder,
          env: { PATH: folder, TROUPE_LOG: log },
          stdio: "ignore"
        })
        const words = argv.slice(1)
        const expected = `${words.length}\n${words.length === 0 ? "\0" : words.map((word) => `${word}\0`).join("")}`
        assert.deepStrictEqual([argv[0], readFileSync(log, "utf8")], ["run", expected], `seed ${seed}: ${line}`)
      }
      // Else the comparison would be of nothing.
      assert.isAbove(simple, 40)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

const pieces = [
  " ",
  " ",
  " ",
  "a",
  "run",
  "b c",
  "'",
  '"',
  "'x;y'",
  '"p q"',
  "''",
  ";",
  "|",
  "&",
  "$",
  "$(run)",
  "`run`",
  "\\",
  "\n",
  "*",
  "~",
  "#",
  "=",
  "-",
  "{a,b}",
  "!",
  "é",
  ">",
  "(",
  "\t",
  "%",
  "@",
  ":",
  "^",
  ","
]

/** mulberry32, so that a failure names its line by a seed. */
const randomLine = (seed: number): string => {
  let state = seed * 0x9e3779b9
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return Array.from({ length: 1 + Math.floor(next() * 7) }, () => pieces[Math.floor(next() * pieces.length)]).join("")
}
