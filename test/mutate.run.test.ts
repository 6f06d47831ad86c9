/** `npm run mutate` on a small project, whose tests find two of its three mutants. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import process from "node:process"
import { scratch } from "./ledger/samples.ts"

const root = join(import.meta.dirname, "..")
const source = [
  "/** Whether so many fit. */",
  "export const fits = (count: number, limit: number): boolean => count <= limit",
  "export const isOpen = (): boolean => true",
  ""
].join("\n")
const files = {
  "src/session/Limit.ts": source,
  "test/session/limit.test.ts": `
    import { expect, it } from "vitest"
    import { fits } from "../../src/session/Limit.ts"
    it("so many fit", () => expect([1, 2, 3].map((count) => fits(count, 2))).toEqual([true, true, false]))
  `,
  "vitest.config.ts": `export default { test: { projects: [{ test: { name: "fast", include: ["test/**/*.test.ts"] } }] } }`,
  "tsconfig.json": JSON.stringify({
    compilerOptions: {
      module: "NodeNext",
      noEmit: true,
      allowImportingTsExtensions: true,
      skipLibCheck: true,
      types: []
    },
    include: ["src"]
  }),
  "package.json": JSON.stringify({ type: "module" })
}

const project = Effect.map(scratch, (directory) => {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, "project", name)), { recursive: true })
    writeFileSync(join(directory, "project", name), text)
  }
  symlinkSync(join(root, "node_modules"), join(directory, "project", "node_modules"))
  mkdirSync(join(directory, "tmp"))
  return { cwd: join(directory, "project"), temporary: join(directory, "tmp") }
})

/** Ended by Ctrl-C once it has said something that matches `until`. */
const mutate = ({ cwd, temporary }: { readonly cwd: string; readonly temporary: string }, until?: RegExp) =>
  Effect.callback<{ readonly code: number | null; readonly output: string }>((resume) => {
    const args = [join(root, "scripts", "mutate.ts"), "--area", "session", "--seed", "1", "--mutants", "9"]
    const env = { ...process.env, TMPDIR: temporary }
    const child = spawn(process.execPath, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] })
    let output = ""
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (text: Buffer) => {
        output += text.toString()
        if (until?.test(output) === true) child.kill("SIGINT")
      })
    }
    child.on("close", (code) => resume(Effect.succeed({ code, output })))
  })

it.live("mutants that a test catches are killed, the others are told with what they change", () =>
  Effect.gen(function* () {
    const { cwd, temporary } = yield* project
    const { code, output } = yield* mutate({ cwd, temporary })
    assert.strictEqual(code, 0, output)
    assert.strictEqual(output.match(/^killed   src\/session\/Limit\.ts:2, .*so many fit$/gm)?.length, 2, output)
    assert.include(output, "session: 67 % of 3: 2 killed, 0 timeouts (near 2), 1 survived; 0 refused by the compiler")
    assert.match(output, /SURVIVED src\/session\/Limit\.ts:3.*\n.*- export const isOpen.*true\n.*\+ .*false\n$/)
    assert.strictEqual(readFileSync(join(cwd, "src/session/Limit.ts"), "utf8"), source)
    assert.deepStrictEqual(readdirSync(temporary), [])
  }).pipe(Effect.scoped)
)

it.live("Ctrl-C ends it with what it has found, and leaves nothing behind", () =>
  Effect.gen(function* () {
    const { cwd, temporary } = yield* project
    const { code, output } = yield* mutate({ cwd, temporary }, /^(?:killed|SURVIVED)/m)
    assert.strictEqual(code, 130, output)
    assert.match(output, /^session: \d+ % of 1: /m)
    assert.strictEqual(readFileSync(join(cwd, "src/session/Limit.ts"), "utf8"), source)
    assert.deepStrictEqual(readdirSync(temporary), [])
  }).pipe(Effect.scoped)
)
