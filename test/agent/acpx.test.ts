/** The acpx driver against a script that prints recorded output of the real acpx, with a real owner process. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { OpenRequest } from "../../src/agent/Agent.ts"
import * as Acpx from "../../src/agent/acpx/driver.ts"
import { Processes } from "../../src/agent/Processes.ts"
import type { SessionId } from "../../src/domain/Ids.ts"
import { connect } from "./acp.agent.ts"
import { fixture } from "./child.ts"
import { textPrompt } from "../../src/domain/Turn.ts"

const home = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "troupe-acpx-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

/** What the scripted acpx says of itself. */
interface Report {
  readonly args: ReadonlyArray<string>
  readonly initialMode: string | null
  readonly mode: string | null
}

const open = Effect.fnUntraced(function* (
  folder: string,
  changes?: Partial<OpenRequest>,
  agent = "claude",
  env: Readonly<Record<string, string>> = {}
) {
  const driver = yield* Acpx.make({
    name: `acpx:${agent}`,
    agent,
    command: [process.execPath, fixture("acpx")],
    env: { PATH: process.env["PATH"] ?? "", FAKE_ACPX_HOME: folder, ...env }
  })
  return yield* connect(driver, changes)
})

layer(Processes.layer, { excludeTestServices: true })("the acpx driver", (it) => {
  it.effect("turns run one after the other, and one agent process serves them all", () =>
    Effect.gen(function* () {
      const session = yield* open(yield* home)
      const processes = yield* Processes
      assert.isNull(session.connection.pid)
      assert.strictEqual((yield* session.turn(1, "acpx-claude-prompt-cold")).stopReason, "end_turn")
      const second = yield* session.turn(2, "acpx-claude-prompt-tool-approved")
      assert.strictEqual(second.usage?.totalTokens, 79)
      assert.deepStrictEqual([session.text(1), session.text(2)], ["echo: hello", "done"])
      const owners = (yield* processes.tree(session.lease)).filter(({ command }) => command.includes("__queue-owner"))
      assert.strictEqual(owners.length, 1)
    })
  )

  it.effect("a connection that is asked to exit ends the owner, emits its exit last, and leaves no process", () =>
    Effect.gen(function* () {
      const session = yield* open(yield* home)
      const processes = yield* Processes
      yield* session.turn(1, "hello")
      yield* session.connection.askToExit
      yield* session.exited
      assert.deepStrictEqual(yield* processes.tree(session.lease), [])
      assert.strictEqual(session.facts.at(-1)?._tag, "Exited")
      assert.strictEqual(session.count("Exited"), 1)
    })
  )

  it.effect("a turn is cancelled through acpx, whose exit code 0 is ignored", () =>
    Effect.gen(function* () {
      const session = yield* open(yield* home)
      yield* session.connection.prompt(1, textPrompt("slow"))
      yield* session.updateOfKind("agent_message_chunk")
      yield* session.connection.interrupt
      assert.deepInclude(yield* session.ended(1), { stopReason: "cancelled", failure: null })
      yield* session.connection.interrupt
      assert.strictEqual((yield* session.turn(2, "hello")).stopReason, "end_turn")
    })
  )

  it.effect("a running turn ends as cancelled before the exit of a connection that is asked to exit", () =>
    Effect.gen(function* () {
      const session = yield* open(yield* home)
      yield* session.connection.prompt(1, textPrompt("slow"))
      yield* session.updateOfKind("agent_message_chunk")
      yield* session.connection.askToExit
      yield* session.exited
      assert.deepStrictEqual(
        session.facts.slice(-2).map((fact) => (fact._tag === "TurnEnded" ? fact.stopReason : fact._tag)),
        ["cancelled", "Exited"]
      )
    })
  )

  it.effect.each<readonly [string, string]>([
    ["acpx-claude-prompt-model-400", "model"],
    ["acpx-codex-prompt-model-400", "model"],
    ["acpx-claude-prompt-adapter-killed", "crash"],
    ["acpx-claude-prompt-owner-killed", "crash"],
    ["acpx-claude-prompt-native-killed", "crash"],
    ["acpx-claude-no-session", "crash"],
    ["die", "crash"]
  ])("a turn of the prompt %s fails as %s, whatever the exit code", ([text, kind]) =>
    Effect.gen(function* () {
      const agent = text.includes("codex") ? "codex" : "claude"
      const session = yield* open(yield* home, {}, agent)
      const end = yield* session.turn(1, text)
      assert.deepStrictEqual([end.stopReason, end.failure?.class], ["error", kind])
      assert.strictEqual(session.count("TurnEnded"), 1)
      assert.strictEqual(session.count("Exited"), 0)
    })
  )

  it.effect("a prompt that was refused unread is handed to a fresh owner, once", () =>
    Effect.gen(function* () {
      const session = yield* open(yield* home)
      yield* session.turn(1, "hello")
      const end = yield* session.turn(2, "refused")
      assert.deepStrictEqual([end.stopReason, session.text(2)], ["end_turn", "refused"])
      assert.strictEqual(session.count("TurnEnded"), 2)
    })
  )

  it.effect("a session is resumed by its name, and its context is lost where acpx has no record of it", () =>
    Effect.gen(function* () {
      const folder = yield* home
      const options = { session: "ses_the_same_for_both" as SessionId }
      const first = yield* open(folder, options)
      const { thread } = first.connection
      yield* first.leave
      const second = yield* open(folder, { ...options, thread })
      assert.deepStrictEqual([second.connection.thread, second.connection.contextLost], [thread, null])
      const third = yield* open(folder, { thread })
      assert.notStrictEqual(third.connection.thread, thread)
      assert.match(third.connection.contextLost ?? "", /has no record/)
    })
  )

  it.effect("a notice is emitted where acpx began a new conversation for a session that had one", () =>
    Effect.gen(function* () {
      const session = yield* open(yield* home)
      yield* session.turn(1, "hello")
      yield* session.turn(2, "acpx-claude-prompt-cold")
      const notice = yield* session.updateOfKind("notice")
      assert.strictEqual(notice.turn, 2)
      assert.match(String(notice.message.params.update["title"]), /began a new one, without what was said before/)
    })
  )

  it.effect.each([
    ["deny", "--deny-all"],
    ["approve_reads", "--deny-all"],
    ["approve_all", "--approve-all"]
  ] as const)("the permissions %s become the flag %s and codex's mode", ([permissions, flag]) =>
    Effect.gen(function* () {
      const session = yield* open(yield* home, { permissions, systemPrompt: "Be kind.", model: "m-1" }, "codex")
      yield* session.turn(1, "acpx-codex-prompt-warm")
      yield* session.turn(2, "report")
      const { args, initialMode, mode } = JSON.parse(session.text(2)) as Report
      assert.includeMembers([...args], [flag, "--model=m-1", `--cwd=${session.cwd}`, "--format=json"])
      assert.isBelow(args.indexOf(flag), args.indexOf("codex"))
      const expected = permissions === "approve_all" ? "workspace-write" : "read-only"
      assert.deepStrictEqual({ initialMode, mode }, { initialMode: expected, mode: null })
    })
  )

  it.effect(
    "claude is in the mode that asks before its first prompt, and a conversation that goes on keeps its mode",
    () =>
      Effect.gen(function* () {
        const folder = yield* home
        const options = { session: "ses_the_same_for_both" as SessionId }
        const first = yield* open(folder, options)
        yield* first.turn(1, "report")
        assert.strictEqual((JSON.parse(first.text(1)) as Report).mode, "default")
        const { thread } = first.connection
        yield* first.leave
        const again = yield* open(folder, { ...options, thread }, "claude", { FAKE_ACPX_MODES: "none" })
        yield* again.turn(1, "report")
        assert.strictEqual((JSON.parse(again.text(1)) as Report).mode, "default")
      })
  )

  it.effect("a session does not open where claude can't be put in the mode that asks", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(open(yield* home, {}, "claude", { FAKE_ACPX_MODES: "none" }))
      assert.match(error.message, /Invalid Mode: default/)
    })
  )

  it.effect("the failure says what to do where acpx can't start the agent, or is not installed itself", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(open(""))
      assert.strictEqual(error.class, "config")
      assert.match(error.message, /did not find claude.*Install it/)
      const missing = yield* Acpx.make({
        name: "x",
        agent: "claude",
        command: ["no-such-acpx"],
        env: { PATH: "/usr/bin" }
      })
      assert.match((yield* Effect.flip(connect(missing))).message, /no-such-acpx was not found/)
    })
  )
})
