/** `troupe acp` as editors start it: the real program, with the official client at its pipes, and each end killed. */
import { assert, it } from "@effect/vitest"
import { methods, ndJsonStream } from "@agentclientprotocol/sdk"
import type { SessionConfigOption } from "@agentclientprotocol/sdk"
import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Readable, Writable } from "node:stream"
import { afterAll, afterEach } from "vitest"
import { main } from "../../builtProgram.ts"
import { makeWorkspace } from "../../cli/program.ts"
import { openServer } from "../../cli/server.ts"
import type { Server } from "../../cli/server.ts"
import { connect, until } from "./client.ts"
import type { AcpClient, Script } from "./client.ts"

let workspace = makeWorkspace()
const started = new Set<ChildProcess>()

afterEach(async () => {
  for (const child of started) child.kill("SIGKILL")
  started.clear()
  await workspace.cleanUp()
  workspace = makeWorkspace()
})

afterAll(() => workspace.cleanUp())

interface Editor {
  readonly client: AcpClient
  readonly child: ChildProcess
  readonly ended: Promise<unknown>
  readonly stderr: () => string
}

const editorOf = async (args: ReadonlyArray<string>, script?: Script): Promise<Editor> => {
  const child = spawn(process.execPath, [main, "acp", "--agent", "demo", "--data-dir", ".troupe", ...args], {
    cwd: workspace.cwd,
    env: { PATH: process.env["PATH"], HOME: workspace.cwd },
    stdio: ["pipe", "pipe", "pipe"]
  })
  started.add(child)
  let stderr = ""
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text))
  const ended = once(child, "exit")
  const stream = ndJsonStream(Writable.toWeb(child.stdin), Readable.toWeb(child.stdout) as ReadableStream<Uint8Array>)
  return { child, ended, stderr: () => stderr, client: await connect(stream, script) }
}

const newSession = async ({ client }: Editor) =>
  (await client.request(methods.agent.session.new, { cwd: workspace.cwd, mcpServers: [] })).sessionId

const refusal = (promise: Promise<unknown>): Promise<{ readonly code: number; readonly message: string }> =>
  promise.then(
    () => assert.fail("it should have been refused"),
    (error: { readonly code: number; readonly message: string }) => error
  )

/** By the admin's token, as `troupe acp` is on the server of its data dir. */
const agentOf = async ({ url }: Server, id: string): Promise<number> => {
  const token = readFileSync(join(workspace.cwd, ".troupe", "admin-token"), "utf8").trim()
  const response = await fetch(`${url}/sessions/${id}`, { headers: { authorization: `Bearer ${token}` } })
  return ((await response.json()) as { readonly process: { readonly pid: number } }).process.pid
}

/** Those that work in a directory: the program, its agents, and what would end them. */
const processesIn = (directory: string): ReadonlyArray<string> =>
  readdirSync("/proc").filter((name) => {
    try {
      return /^\d+$/.test(name) && readlinkSync(`/proc/${name}/cwd`) === directory
    } catch {
      return false
    }
  })

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

it("an editor has a session: updates, plans, permissions, questions, options, and errors that say what to do", async () => {
  let forms = 0
  const editor = await editorOf([], {
    permission: ({ options }) => options.find(({ kind }) => kind === "reject_once")?.optionId ?? null,
    // The first does not fit, and is asked for again.
    elicitation: () => ({
      action: "accept",
      content: { note: "a spanner", ...(forms++ === 0 ? {} : { color: "blue" }) }
    })
  })
  const { client } = editor
  const id = await newSession(editor)
  assert.deepInclude(await client.prompt(id, "plan\nusage\nhello"), { stopReason: "end_turn" })
  const kinds = new Set(client.updates.map(({ update }) => update.sessionUpdate))
  assert.isTrue(kinds.has("plan") && kinds.has("agent_message_chunk"), [...kinds].join())
  assert.isFalse(kinds.has("user_message_chunk"), "the editor shows its own prompt itself")

  await client.prompt(id, "ask execute")
  assert.strictEqual(client.asked.length, 1)
  assert.deepStrictEqual(
    client.asked[0]!.options.map(({ kind }) => kind),
    ["allow_once", "allow_always", "reject_once"]
  )
  await client.prompt(id, "form")
  assert.include(client.textOf(id), "a spanner")
  assert.strictEqual(forms, 2)

  const setting = { sessionId: id, configId: "permissions" }
  const { configOptions } = await client.request(methods.agent.session.setConfigOption, {
    ...setting,
    value: "approve_all"
  })
  assert.strictEqual(configOptions.find(({ id: name }) => name === "permissions")?.currentValue, "approve_all")
  const model = configOptions.find(({ id: name }) => name === "model")
  assert.strictEqual(model?.category, "model")
  await client.prompt(id, "ask execute")
  assert.strictEqual(client.asked.length, 1, "nobody is asked any more")

  const hanging = client.prompt(id, "hang")
  await until(async () => (await client.request(methods.agent.session.list, {})).sessions.length === 1)
  await client.connection.agent.notify(methods.agent.session.cancel, { sessionId: id })
  assert.deepInclude(await hanging, { stopReason: "cancelled" })

  // What is closed beside a running prompt, and one that waits, has cancelled both, and can be opened again.
  const [running, waiting] = [client.prompt(id, "slow 2000 20"), client.prompt(id, "never said")]
  await client.said(id, "word3")
  await client.request(methods.agent.session.close, { sessionId: id })
  assert.deepInclude(await running, { stopReason: "cancelled" })
  assert.deepInclude(await waiting, { stopReason: "cancelled" })
  await client.request(methods.agent.session.resume, { sessionId: id, cwd: workspace.cwd, mcpServers: [] })
  assert.deepInclude(await client.prompt(id, "hello"), { stopReason: "end_turn" })
  const deleted = await newSession(editor)
  const unlucky = client.prompt(deleted, "hang")
  await client.said(deleted, "Hanging")
  await client.request(methods.agent.session.delete, { sessionId: deleted })
  assert.deepInclude(await unlucky, { stopReason: "cancelled" })
  const { sessions } = await client.request(methods.agent.session.list, {})
  assert.deepStrictEqual(
    sessions.map(({ sessionId, title }) => ({ sessionId, title })),
    [{ sessionId: id, title: "plan usage hello" }]
  )

  const crashed = await refusal(client.prompt(id, "crash"))
  assert.strictEqual(crashed.code, -32603)
  assert.include(crashed.message, "crash")
  assert.include(
    (await refusal(client.request(methods.agent.session.setConfigOption, { ...setting, value: "all" }))).message,
    "approve_all"
  )
  assert.strictEqual((await refusal(client.prompt("ses_unknown", "hello"))).code, -32002)
  const absent = client.request(methods.agent.session.new, { cwd: "/nowhere/at/all", mcpServers: [] })
  assert.include((await refusal(absent)).message, "/nowhere/at/all")
  const unknown = client.request(methods.agent.session.new, {
    cwd: workspace.cwd,
    mcpServers: [],
    _meta: { troupe: { agnet: "codex" } }
  })
  assert.include((await refusal(unknown)).message, "agent")

  editor.child.stdin!.end()
  await editor.ended
  assert.strictEqual(editor.child.exitCode, 0, editor.stderr())
})

it("the agent is an option until the first prompt, which the chosen one gets, also from the next troupe acp", async () => {
  const broken = { protocol: "acp", command: ["/bin/false"] }
  writeFileSync(join(workspace.cwd, "troupe.config.json"), JSON.stringify({ agents: { broken } }))
  const first = await editorOf([])
  const opened = await first.client.request(methods.agent.session.new, {
    cwd: workspace.cwd,
    mcpServers: [],
    _meta: { troupe: { agent: "broken", effort: "high" } }
  })
  const { sessionId } = opened
  const agentIn = (options: ReadonlyArray<SessionConfigOption> | null | undefined) => {
    const option = options?.find(({ id }) => id === "agent")
    if (option?.type !== "select") return assert.fail("the agent is an option")
    return { now: option.currentValue, values: option.options.flatMap((one) => ("value" in one ? [one.value] : [])) }
  }
  const before = agentIn(opened.configOptions)
  assert.strictEqual(before.now, "broken")
  assert.includeMembers([...before.values], ["broken", "demo"])
  const choose = ({ client }: Editor, value: string) =>
    client.request(methods.agent.session.setConfigOption, { sessionId, configId: "agent", value })
  const { configOptions } = await choose(first, "demo")
  assert.strictEqual(agentIn(configOptions).now, "demo")
  assert.isUndefined(
    configOptions.find(({ id }) => id === "effort"),
    "that was the other agent's"
  )
  assert.include((await refusal(choose(first, "nobody"))).message, "nobody")
  first.child.kill("SIGKILL")
  await first.ended

  const second = await editorOf([])
  const loaded = await second.client.request(methods.agent.session.load, {
    sessionId,
    cwd: workspace.cwd,
    mcpServers: []
  })
  assert.strictEqual(agentIn(loaded.configOptions).now, "demo")
  assert.includeMembers([...agentIn(loaded.configOptions).values], ["broken", "demo"])
  assert.deepInclude(await second.client.prompt(sessionId, "hello"), { stopReason: "end_turn" })
  assert.include(second.client.textOf(sessionId), "hello")
  const told = second.client.updates.flatMap(({ update }) =>
    update.sessionUpdate === "config_option_update" ? [update.configOptions] : []
  )
  assert.deepStrictEqual(agentIn(told.at(-1)), { now: "demo", values: ["demo"] })
  assert.include(told.at(-1)?.map(({ id }) => id) ?? [], "model")
  const late = await refusal(choose(second, "broken"))
  assert.strictEqual(late.code, -32602)
  assert.include(late.message, "until the first turn")
  second.child.stdin!.end()
  await second.ended
})

it("what is no message is answered, and one that is too long ends the connection with a reason", async () => {
  const child = spawn(process.execPath, [main, "acp", "--data-dir", ".troupe"], {
    cwd: workspace.cwd,
    env: { PATH: process.env["PATH"], HOME: workspace.cwd }
  })
  started.add(child)
  const said = { stdout: "", stderr: "" }
  for (const name of ["stdout", "stderr"] as const) child[name].on("data", (text) => (said[name] += String(text)))
  const ended = once(child, "exit")
  child.stdin.on("error", () => {})
  child.stdin.write("no JSON\n[]\n7\n")
  child.stdin.write('{"jsonrpc":"2.0","id":1,"method":"session/list","params":{}}\n')
  await until(() => said.stdout.split("\n").length === 5)
  const codes = said.stdout
    .trim()
    .split("\n")
    .map((line) => (JSON.parse(line) as { readonly error: { readonly code: number } }).error.code)
  assert.deepStrictEqual(codes, [-32700, -32600, -32600, -32600])
  child.stdin.write(`{"jsonrpc":"2.0","id":2,"method":"${"x".repeat(33 * 1024 * 1024)}`)
  await ended
  assert.strictEqual(child.exitCode, 1)
  assert.include(said.stderr, "32 MiB")
})

it("a session outlives a killed editor and a killed troupe acp, and is replayed to the next", async () => {
  const first = await editorOf([])
  const id = await newSession(first)
  await first.client.prompt(id, "remember the spanner")
  const running = first.client.prompt(id, "slow 2000 20")
  running.catch(() => {})
  await first.client.said(id, "word")
  assert.isAbove(processesIn(workspace.cwd).length, 1, "troupe acp and its agent")
  first.child.kill("SIGKILL")
  await first.ended
  await until(() => processesIn(workspace.cwd).length === 0, "the end of every process")

  const second = await editorOf([])
  await second.client.request(methods.agent.session.load, { sessionId: id, cwd: workspace.cwd, mcpServers: [] })
  const said = second.client.updates.flatMap(({ update }) =>
    update.sessionUpdate === "user_message_chunk" && update.content.type === "text" ? [update.content.text] : []
  )
  assert.deepStrictEqual(said, ["remember the spanner", "slow 2000 20"])
  await second.client.prompt(id, "recall")
  assert.include(second.client.textOf(id), "spanner")
  second.child.stdin!.end()
  await second.ended
  await until(() => processesIn(workspace.cwd).length === 0, "the end of every process")
})

it("on a server the turn goes on when troupe acp is killed, and editors of one session are in sync", async () => {
  const server = await openServer(workspace)
  const [one, two] = [await editorOf([]), await editorOf([])]
  const id = await newSession(one)
  await two.client.request(methods.agent.session.load, { sessionId: id, cwd: workspace.cwd, mcpServers: [] })
  const running = one.client.prompt(id, "slow 60 20\nthe end")
  running.catch(() => {})
  await two.client.said(id, "word")
  one.child.kill("SIGKILL")
  await two.client.said(id, "the end")
  const agent = await agentOf(server, id)
  assert.isTrue(isAlive(agent))

  // The agent dies: the session goes on with another.
  process.kill(agent, "SIGKILL")
  await two.client.prompt(id, "after the agent's death")
  assert.include(two.client.textOf(id), "after the agent's death")
  two.child.kill("SIGKILL")
  server.program.child.kill("SIGTERM")
  await Promise.all([server.program.ended, two.ended])
  await until(() => processesIn(workspace.cwd).length === 0, "the end of every process")
})

it("when the server is killed and started again, the editor's connection goes on with its session", async () => {
  const server = await openServer(workspace)
  const editor = await editorOf([])
  const id = await newSession(editor)
  await editor.client.prompt(id, "before the server's death")
  server.program.child.kill("SIGKILL")
  await server.program.ended
  const again = workspace.start(["serve", "--port", new URL(server.url).port], {})
  await again.printed(/listens on/)
  await editor.client.prompt(id, "recall")
  assert.include(editor.client.textOf(id), '["before the server\'s death"]')
  editor.child.kill("SIGKILL")
  again.child.kill("SIGTERM")
  await Promise.all([again.ended, editor.ended])
  await until(() => processesIn(workspace.cwd).length === 0, "the end of every process")
})
