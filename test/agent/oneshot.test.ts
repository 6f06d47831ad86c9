/** One-shot runs against a scripted `claude`, and against recorded output of the real one. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { OneShot } from "../../src/agent/OneShot.ts"
import type { RunRequest } from "../../src/agent/OneShot.ts"
import { Processes } from "../../src/agent/Processes.ts"
import type { RunSpec } from "../../src/domain/Settings.ts"
import { run, runRequest } from "./oneshot.claude.ts"

const trace = (name: string) => new URL(`../fixtures/traces/claude-oneshot/${name}.ndjson`, import.meta.url).pathname

const argsOf = (script: string, request: Partial<RunRequest>, spec?: Partial<RunSpec>) =>
  Effect.map(run(script, request, spec), (answer) => {
    assert.isTrue(answer.ok, JSON.stringify(answer))
    return answer.ok
      ? (answer.result as { readonly args: ReadonlyArray<string>; readonly stdin: string })
      : assert.fail()
  })

describe("a one-shot run", () => {
  it.live("the prompt is an argument, and stdin is empty", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* argsOf("show", { prompt: "what is\n2 + 2?" }), {
        args: ["-p", "what is\n2 + 2?", "--output-format", "json"],
        stdin: ""
      })
    })
  )

  it.live("model and system prompt are passed, and the request's model overrides the configured one", () =>
    Effect.gen(function* () {
      const request = { model: "opus", system: "Be brief." }
      assert.deepStrictEqual((yield* argsOf("show", request, { model: "sonnet" })).args.slice(4), [
        "--model",
        "opus",
        "--append-system-prompt",
        "Be brief."
      ])
      assert.deepStrictEqual((yield* argsOf("show", {}, { model: "sonnet" })).args.slice(4), ["--model", "sonnet"])
    })
  )

  it.live("permissions are passed as a mode that asks nobody, and the attached files' directories are read", () =>
    Effect.gen(function* () {
      const asking = ["--permission-mode", "manual", "--permission-prompts", "none"]
      const { args } = yield* argsOf("show", { permissions: "deny", readable: ["/data/files/ours/f1"] })
      assert.deepStrictEqual(args.slice(4, 11), [...asking, "--setting-sources", "user", "--strict-mcp-config"])
      const settings = JSON.parse(args.at(-1) ?? "") as { readonly permissions: object }
      assert.deepStrictEqual(settings.permissions, {
        ask: ["Edit", "Write", "NotebookEdit", "Agent"],
        allow: ["Read(//data/files/ours/f1/**)"]
      })
      const wordless = yield* argsOf("show", { readable: ["/data/files/ours/f1"] })
      assert.deepStrictEqual(wordless.args.slice(4), [
        "--settings",
        JSON.stringify({ permissions: { allow: ["Read(//data/files/ours/f1/**)"] } })
      ])
      const all = yield* argsOf("show", { permissions: "approve_all" })
      assert.deepStrictEqual(all.args.slice(4, 9), [...asking, "--allowedTools"])
    })
  )

  it.live("a prompt goes through stdin where it looks like a flag or is too long for a command line", () =>
    Effect.gen(function* () {
      const args = ["-p", "--output-format", "json"]
      assert.deepStrictEqual(yield* argsOf("show", { prompt: "--help" }), { args, stdin: "--help" })
      assert.deepStrictEqual(yield* argsOf("show", { prompt: "x".repeat(1_000_000) }), {
        args,
        stdin: "1000000 characters"
      })
    })
  )

  it.live("the result is the model's JSON where its whole reply is JSON, else its text", () =>
    Effect.gen(function* () {
      const results: Array<unknown> = []
      for (const reply of ['{"a":[1]}', "42", "null", "plain words", '```json\n{"a":1}\n```', '{"a":1} indeed', ""]) {
        const answer = yield* run(`say ${reply.replaceAll("\n", "\\n")}`)
        results.push(answer.ok ? answer.result : answer)
        assert.strictEqual(answer.stopReason, "end_turn")
      }
      assert.deepStrictEqual(results, [
        { a: [1] },
        42,
        null,
        "plain words",
        '```json\\n{"a":1}\\n```',
        '{"a":1} indeed',
        ""
      ])
    })
  )

  it.live("a reply that nests deeper than JSON can be written stays a text", () =>
    Effect.gen(function* () {
      const deep = "[".repeat(20_000) + "]".repeat(20_000)
      assert.deepInclude(yield* run(`say ${deep}`), { ok: true, result: deep })
    })
  )

  it.live("a run fails where its result says so, whatever the exit code", () =>
    Effect.gen(function* () {
      for (const code of [0, 1]) {
        const answer = yield* run(`error Credit balance is too low\nstderr details here\nexit ${code}`)
        assert.deepInclude(answer, {
          ok: false,
          error: "Credit balance is too low",
          stderr: "details here\n",
          stopReason: "error"
        })
      }
      assert.deepInclude(yield* run("say fine\nexit 1"), { ok: true, result: "fine" })
    })
  )

  it.live("the recorded output of the real claude is read", () =>
    Effect.gen(function* () {
      const replay = (name: string) => run(`print ${trace(name)}`)
      assert.deepInclude(yield* replay("json"), { ok: true, result: "echo: hello", stopReason: "end_turn" })
      const overloaded = yield* replay("json-error-529")
      assert.isTrue(!overloaded.ok && overloaded.error.startsWith("API Error: 529"))
      assert.deepInclude(yield* replay("json-max-turns"), { ok: false, error: "Reached maximum number of turns (1)" })
      assert.deepInclude(yield* replay("json-sigterm"), {
        ok: false,
        error: `${process.execPath} exited with code 143 and gave no result. Run it by hand with -p to see why.`
      })
      const unknown = yield* replay("resume-unknown")
      assert.isTrue(
        !unknown.ok && unknown.error.includes("code 1 and gave no result: No conversation found with session")
      )
      const interrupted = yield* replay("stream-json-sigint")
      assert.isFalse(interrupted.ok)
    })
  )

  it.live("a result is read that is pretty-printed, or one of an array", () =>
    Effect.gen(function* () {
      const messages = [{ type: "system" }, { type: "result", is_error: false, result: "third" }, { type: "other" }]
      assert.deepInclude(yield* run("raw {no JSON}\nsay after a warning"), { ok: true, result: "after a warning" })
      assert.deepInclude(yield* run(`raw ${JSON.stringify(messages)}`), { ok: true, result: "third" })
      assert.deepInclude(yield* run("pretty"), { ok: true, result: "ok" })
    })
  )

  it.live("a result is read behind a BOM and an escape sequence", () =>
    Effect.gen(function* () {
      const line = JSON.stringify({ type: "result", subtype: "success", is_error: false, result: "ok" })
      assert.deepInclude(yield* run(`raw \ufeff\u001b]0;claude\u0007${line}`), { ok: true, result: "ok" })
    })
  )

  it.live("a program without a result fails with its last words", () =>
    Effect.gen(function* () {
      const silent = yield* run("raw this is no JSON\nstderr Invalid API key sk-ant-abcdefgh12345678\nexit 1")
      assert.deepInclude(silent, {
        ok: false,
        error: `${process.execPath} exited with code 1 and gave no result: Invalid API key [redacted] It wrote a line that is no message: "this is no JSON".`,
        stderr: "Invalid API key [redacted]\n"
      })
      const killed = yield* run("kill")
      assert.isTrue(!killed.ok && killed.error.includes("was ended by SIGKILL"))
    })
  )

  it.live("a program whose interpreter is missing fails with its words and what to do", () =>
    Effect.gen(function* () {
      const answer = yield* run("stderr env: 'node': No such file or directory\nexit 127")
      assert.isTrue(!answer.ok && answer.error.includes("(exit code 127: env: 'node': No such file or directory)"))
    })
  )

  it.live("a missing program fails with what to install", () =>
    Effect.gen(function* () {
      const bare = yield* Effect.provide(
        Effect.flatMap(OneShot, (oneShot) => oneShot.run(runRequest({ prompt: "x", timeoutMillis: 1_000 }))),
        OneShot.layer({}, { PATH: "/nowhere" }).pipe(Layer.provide(Processes.layer))
      )
      assert.isTrue(!bare.ok && bare.error.includes("npm install -g @anthropic-ai/claude-code"))
      const other = yield* run("show", {}, { command: ["/no/such/claude"] })
      assert.isTrue(!other.ok && other.error.startsWith("/no/such/claude was not found. Install it, or name another"))
      const nowhere = yield* run("show", { cwd: "/no/such/directory" })
      assert.isTrue(!nowhere.ok && nowhere.error.includes("/no/such/directory does not exist"))
    })
  )

  it.live("a system prompt that is too long for a command line is refused", () =>
    Effect.gen(function* () {
      const answer = yield* run("show", { system: "x".repeat(200_000) })
      assert.isTrue(!answer.ok && answer.error.startsWith("system may have at most"))
    })
  )
})
