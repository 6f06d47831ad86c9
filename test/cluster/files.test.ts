/** A file that one node took is there for a turn of any other, or the turn is not taken. */
import { assert, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { server as postgres } from "../ledger/postgres/schemas.ts"
import { onCluster, until } from "./nodes.ts"
import type { Cluster, ClusterNode } from "./nodes.ts"

const sessionOf = async (node: ClusterNode) => {
  const { json } = await node.call("POST", "/sessions", { agent: "demo", cwd: tmpdir() })
  return String(json["session_id"])
}

const upload = async ({ token, url }: ClusterNode, name: string, content: Uint8Array) => {
  const form = new FormData()
  form.set("file", new Blob([Buffer.from(content)]), name)
  const response = await fetch(`${url}/files`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body: form
  })
  return String(((await response.json()) as { readonly file_id: string }).file_id)
}

const turn = (node: ClusterNode, session: string, prompt: unknown, files: ReadonlyArray<string> = []) =>
  node.call("POST", `/sessions/${session}/turn`, { prompt, files }, crypto.randomUUID())

/** The files that the demo agent was told of. */
const pathsIn = (answer: Readonly<Record<string, unknown>>) =>
  String(answer["final_text"]).match(/\/\S+\/files\/\S+/g) ?? []

const filesOf = (nodes: Cluster, name: string) => join(nodes.directoryOf(name), ".troupe", "files")

const bytes = (length: number) => Buffer.from(Array.from({ length }, (_, nth) => (nth * 7) % 251))

/** The smallest picture that says that it is one. */
const png = Buffer.concat([Buffer.from("89504e470d0a1a0a", "hex"), bytes(2_000)])

describe.skipIf(postgres === null)("an uploaded file", () => {
  it.live("is fetched by the node that has the session, whole, and as old as it is", () =>
    onCluster(async (nodes) => {
      const [first, second] = [await nodes.start("first"), await nodes.start("second")]
      const third = await nodes.start("third")
      const session = await sessionOf(second)
      const content = bytes(3_000_000)
      const uploadedAt = Date.now()
      const ids = [await upload(first, "notes.txt", content), await upload(second, "own.txt", bytes(10))]
      // The node that is asked has neither the file nor the session.
      const { json } = await turn(third, session, "read it", ids)
      const [notes, own] = pathsIn(json)
      assert.isDefined(own, JSON.stringify(json))
      for (const path of [notes!, own!]) assert.isTrue(path.startsWith(`${filesOf(nodes, "second")}/default/`), path)
      assert.isTrue(content.equals(readFileSync(notes!)))
      assert.isAtMost(statSync(join(notes!, "..")).mtimeMs, uploadedAt + 2_000)
      assert.strictEqual(statSync(notes!).mode & 0o777, 0o600)
      assert.deepStrictEqual(readdirSync(join(filesOf(nodes, "second"), ".incoming")), [])
      // Nobody fetches it without the nodes' secret.
      const { status } = await fetch(`${first.url}/node/files/default/${ids[0]}`)
      assert.strictEqual(status, 404)
    })
  )

  it.live("that is a picture is seen, attached or sent, wherever its turn runs", () =>
    onCluster(async (nodes) => {
      const [first, second] = [await nodes.start("first"), await nodes.start("second")]
      const third = await nodes.start("third")
      const session = await sessionOf(second)
      const attached = await turn(third, session, "look", [await upload(first, "a.png", png)])
      assert.include(String(attached.json["final_text"]), `an image, image/png, ${png.length} bytes`)
      const sent = await turn(first, session, [{ type: "image", mimeType: "image/png", data: png.toString("base64") }])
      assert.include(String(sent.json["final_text"]), `an image, image/png, ${png.length} bytes`)
    })
  )

  it.live("of a node that does not answer refuses the turn, and of one that is back serves it", () =>
    onCluster(async (nodes) => {
      const [first, second] = [await nodes.start("first"), await nodes.start("second")]
      const session = await sessionOf(second)
      const id = await upload(first, "notes.txt", bytes(100))
      first.program.child.kill("SIGSTOP")
      const hanging = await turn(second, session, "read it", [id])
      assert.deepInclude(hanging, { status: 503 }, JSON.stringify(hanging.json))
      assert.deepInclude(hanging.json, { error: "file_away" })
      first.program.child.kill("SIGCONT")
      await first.kill("SIGKILL")
      const dead = await turn(second, session, "read it", [id])
      assert.deepInclude(dead.json, { error: "file_away" })
      // Nothing was taken of it.
      assert.deepInclude((await turn(second, session, "hello")).json, { turn_index: 1 })
      await nodes.start("first")
      const [path] = pathsIn((await turn(second, session, "read it", [id])).json)
      assert.isTrue(bytes(100).equals(readFileSync(path!)))
      // What is not as long as it was is not it.
      rmSync(join(path!, ".."), { recursive: true })
      writeFileSync(join(filesOf(nodes, "first"), "default", id, "notes.txt"), "short")
      assert.deepInclude((await turn(second, session, "read it", [id])).json, { error: "file_away" })
    })
  )

  it.live("goes along where its turn waits in line and another node gets it", () =>
    onCluster(async (nodes) => {
      const env = { TROUPE_MAX_PROCESSES: "1" }
      const [first, second] = [await nodes.start("first", env), await nodes.start("second")]
      const [busy, waits] = [await sessionOf(first), await sessionOf(first)]
      const hanging = turn(first, busy, "hang")
      hanging.catch(() => {})
      const running = async () => (await first.call("GET", `/sessions/${busy}/turns/1`)).json["status"] === "running"
      await until("the turn", running)
      const inLine = turn(first, waits, "read it", [await upload(first, "notes.txt", bytes(100))])
      await until(
        "its place in line",
        async () => (await first.call("GET", `/sessions/${waits}/turns/1`)).status === 200
      )
      const drained = await nodes.run(["node", "drain", "first"])
      assert.strictEqual(drained.code, 0, drained.stderr)
      const [path] = pathsIn((await inLine).json)
      assert.isTrue(path!.startsWith(filesOf(nodes, "second")), path)
      assert.isTrue(bytes(100).equals(readFileSync(path!)))
      await second.call("POST", `/sessions/${busy}/interrupt`)
    })
  )
})
