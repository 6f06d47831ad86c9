/** A session that another node takes over: its agent's conversation goes along, and what does not is said. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { emptySchema, server as postgres } from "../ledger/postgres/schemas.ts"
import { adminToken, Cluster, until } from "./nodes.ts"
import type { Answer, ClusterNode } from "./nodes.ts"

const agent = join(import.meta.dirname, "..", "fixtures", "agents", "claude-agent-acp", "keeps.ts")
const aside = "aside-of-the-agent-5b1f"

const configuration = {
  agents: { keeps: { protocol: "acp", command: [process.execPath, agent], env: { KEEPS_ASIDE: aside } } }
}

/** Each node has a home of its own, and so have its agents. */
const onCluster = (test: (nodes: Cluster) => Promise<void>) =>
  Effect.acquireRelease(
    Effect.map(emptySchema, (url) => new Cluster(url, configuration)),
    (nodes) => Effect.promise(() => nodes.cleanUp())
  ).pipe(
    Effect.flatMap((nodes) => Effect.promise(() => test(nodes))),
    Effect.scoped
  )

const sessionOf = async (node: ClusterNode, fields: object = {}) => {
  const { json } = await node.call("POST", "/sessions", { agent: "keeps", ...fields })
  return String(json["session_id"])
}

/** As apps do it: under a key, and again where the node says that the session has just moved. */
const turn = async (node: ClusterNode, session: string, prompt: string, key = crypto.randomUUID()): Promise<Answer> => {
  const answer = await node.call("POST", `/sessions/${session}/turn`, { prompt }, key)
  return answer.json["error"] === "session_moved" ? turn(node, session, prompt, key) : answer
}

/** Where a session's directory is, as its view says. */
const directoryOf = async (node: ClusterNode, session: string) =>
  String((await node.call("GET", `/sessions/${session}`)).json["cwd"])

const filesBelow = (directory: string): ReadonlyArray<string> =>
  existsSync(directory) ? readdirSync(directory, { recursive: true }).map(String) : []

describe.skipIf(postgres === null)("a session whose node is killed", () => {
  it.live("goes on elsewhere with all that its agent knew, there and back", () =>
    onCluster(async (nodes) => {
      const [first, second] = [await nodes.start("first"), await nodes.start("second")]
      const session = await sessionOf(first)
      assert.deepInclude((await turn(first, session, "one")).json, { final_text: "I know: one" })
      assert.deepInclude((await turn(first, session, "two")).json, { final_text: "I know: one, two" })
      await first.kill("SIGKILL")

      const moved = (await turn(second, session, "three")).json
      assert.deepInclude(moved, {
        final_text: "I know: one, two, three",
        context_lost: false,
        context_as_of: 2,
        workdir_lost: false
      })
      assert.deepInclude((await turn(second, session, "four")).json, {
        final_text: "I know: one, two, three, four",
        context_as_of: null
      })
      const reader = second.read(session)
      await until("what is said of it", () => reader.text().includes('"_troupe/context_restored"'))
      assert.match(reader.text(), /"_troupe\/context_restored","params":\{"as_of_turn":2,"before_turn":3/)

      // Its own file there is older by now.
      const back = await nodes.start("first")
      await second.kill("SIGKILL")
      assert.deepInclude((await turn(back, session, "five")).json, {
        final_text: "I know: one, two, three, four, five",
        context_as_of: 4
      })
      await reader.stop()

      // What an agent keeps for itself is in its file, in the ledger, and nowhere else.
      const metrics = await fetch(`${back.url}/metrics`).then((response) => response.text())
      const view = await back.call("GET", `/sessions/${session}`)
      const logs = [first, second, back].map(({ program }) => program.stdout() + program.stderr())
      for (const text of [metrics, JSON.stringify(view), reader.text(), ...logs]) assert.notInclude(text, aside)
    })
  )

  it.live(
    "in a turn: its agent knows what was said before that, and nothing is lost where the session comes back",
    () =>
      onCluster(async (nodes) => {
        const [first, second] = [await nodes.start("first"), await nodes.start("second")]
        const session = await sessionOf(first)
        await turn(first, session, "one")
        const home = join(nodes.directoryOf("first"), ".claude")
        const hanging = turn(first, session, "hang")
        hanging.catch(() => {})
        await until("the second prompt in its file", () =>
          filesBelow(home).some(
            (name) => name.endsWith(".jsonl") && readFileSync(join(home, name), "utf8").includes("hang")
          )
        )
        await first.kill("SIGKILL")
        const moved = (await turn(second, session, "three")).json
        assert.deepInclude(moved, { final_text: "I know: one, three", context_as_of: 1, context_lost: false })

        const back = await nodes.start("first")
        await second.kill("SIGKILL")
        // What went another way there is set aside, and not deleted.
        assert.deepInclude((await turn(back, session, "four")).json, {
          final_text: "I know: one, three, four",
          context_as_of: 3
        })
        assert.lengthOf(
          filesBelow(home).filter((name) => name.includes(".jsonl.troupe-")),
          1
        )
      })
  )

  it.live("by a signal, or is drained by hand: it goes on with all that its agent knew, too", () =>
    onCluster(async (nodes) => {
      const [first, second] = [await nodes.start("first"), await nodes.start("second")]
      const session = await sessionOf(first)
      await turn(first, session, "one")
      const drained = await nodes.run(["node", "drain", "first"])
      assert.strictEqual(drained.code, 0, drained.stderr)
      await until("its leaving", async () => {
        const { stdout } = await nodes.run(["node", "ls", "--json"])
        const listed = JSON.parse(stdout) as { readonly nodes: ReadonlyArray<Readonly<Record<string, unknown>>> }
        return listed.nodes.find(({ name }) => name === "first")?.["sessions"] === 0
      })
      const known = { final_text: "I know: one, two", context_lost: false, context_as_of: 1 }
      assert.deepInclude((await turn(second, session, "two")).json, known)
      await first.kill("SIGTERM")
      const back = await nodes.start("first")
      await second.kill("SIGTERM")
      assert.deepInclude((await turn(back, session, "three")).json, {
        final_text: "I know: one, two, three",
        context_as_of: 2
      })
    })
  )

  it.live("begins anew where conversations are to stay where they are, and says so", () =>
    onCluster(async (nodes) => {
      const env = { TROUPE_HOMES: "local" }
      const [first, second] = [await nodes.start("first", env), await nodes.start("second", env)]
      const session = await sessionOf(first)
      await turn(first, session, "one")
      await first.kill("SIGKILL")
      assert.deepInclude((await turn(second, session, "two")).json, {
        final_text: "I know: two",
        context_lost: true,
        context_as_of: null
      })
    })
  )

  it.live("goes on from the file itself where all nodes have the same homes, there and back", () =>
    onCluster(async (nodes) => {
      const env = { TROUPE_HOMES: "shared", CLAUDE_CONFIG_DIR: join(nodes.directoryOf("first"), "shared") }
      const [first, second] = [await nodes.start("first", env), await nodes.start("second", env)]
      const session = await sessionOf(first)
      await turn(first, session, "one")
      await first.kill("SIGKILL")
      const moved = (await turn(second, session, "two")).json
      const known = { context_lost: false, context_as_of: null, workdir_lost: false }
      assert.deepInclude(moved, { final_text: "I know: one, two", ...known })
      const back = await nodes.start("first", env)
      // Where homes are shared all is, and another node is as good as the one with the directory.
      const move = await nodes.run(["sessions", "move", session, "first", "--url", back.url, "--token", adminToken])
      assert.strictEqual(move.code, 0, move.stderr)
      assert.deepInclude((await turn(second, session, "three")).json, {
        final_text: "I know: one, two, three",
        ...known
      })
      assert.lengthOf(
        filesBelow(env.CLAUDE_CONFIG_DIR).filter((name) => name.includes(".jsonl")),
        1
      )
      for (const { program } of [first, second, back]) {
        assert.notInclude(program.stdout() + program.stderr(), "is here as of turn")
      }
    })
  )

  it.live("has an empty directory where its own did not come along, and says so", () =>
    onCluster(async (nodes) => {
      const [first, second] = [await nodes.start("first"), await nodes.start("second")]
      const session = await sessionOf(first)
      await turn(first, session, "one")
      const directory = await directoryOf(first, session)
      writeFileSync(join(directory, "work.txt"), "done")
      await first.kill("SIGKILL")
      // The disk of another machine has it not.
      rmSync(directory, { recursive: true })
      assert.deepInclude((await turn(second, session, "two")).json, {
        ok: true,
        final_text: "I know: one, two",
        workdir_lost: true
      })
      assert.deepStrictEqual(readdirSync(directory), [])
      const reader = second.read(session)
      await until("what is said of it", () => reader.text().includes('"_troupe/workdir_lost"'))
      assert.include(reader.text(), `"_troupe/workdir_lost","params":{"directory":"${directory}","before_turn":2`)
      await reader.stop()
      assert.deepInclude((await turn(second, session, "three")).json, { workdir_lost: false })
    })
  )

  it.live("is copied elsewhere with its conversation, and without the files that are not there", () =>
    onCluster(async (nodes) => {
      const [first, second] = [await nodes.start("first"), await nodes.start("second")]
      const session = await sessionOf(first)
      await turn(first, session, "one")
      const directory = await directoryOf(first, session)
      await first.kill("SIGKILL")
      rmSync(directory, { recursive: true })
      const copy = await second.call("POST", `/sessions/${session}/fork`, {})
      assert.strictEqual(copy.status, 200, JSON.stringify(copy.json))
      assert.deepInclude((await turn(second, String(copy.json["session_id"]), "two")).json, {
        final_text: "I know: one, two",
        context_lost: false,
        context_as_of: null,
        workdir_lost: true
      })
    })
  )

  it.live(
    "fails its turn as one to be configured where an app's directory did not come along, and goes on when it has",
    () =>
      onCluster(async (nodes) => {
        const [first, second] = [await nodes.start("first"), await nodes.start("second")]
        const cwd = mkdtempSync(join(tmpdir(), "troupe-app-"))
        const session = await sessionOf(first, { cwd })
        await turn(first, session, "one")
        await first.kill("SIGKILL")
        rmSync(cwd, { recursive: true })
        const { json } = await turn(second, session, "two")
        assert.deepInclude(json, { ok: false, error_class: "config", workdir_lost: false })
        assert.include(String(json["error"]), `"${cwd}" is not on node second, which has the session now`)
        assert.isFalse(existsSync(cwd))
        mkdirSync(cwd)
        assert.deepInclude((await turn(second, session, "three")).json, { ok: true, final_text: "I know: one, three" })
        rmSync(cwd, { recursive: true })
      })
  )
})
