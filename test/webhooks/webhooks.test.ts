/** Webhooks of the real program at a real receiver, verified as receivers do: signed, per app, once each, across kill -9. */
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { makeWorkspace } from "../cli/program.ts"
import type { Workspace } from "../cli/program.ts"
import { openServer, sessionOf } from "../cli/server.ts"
import type { Server } from "../cli/server.ts"
import { openReceiver } from "./receiver.ts"
import type { Received, Receiver } from "./receiver.ts"
import { verifierOf } from "./verifier.ts"

let workspace: Workspace
let receiver: Receiver
beforeEach(async () => {
  workspace = makeWorkspace()
  receiver = await openReceiver()
})
afterEach(async () => {
  await workspace.cleanUp()
  await receiver.close()
})

const jsonOf = async (...args: ReadonlyArray<string>) => {
  const { code, stderr, stdout } = await workspace.run([...args, "--json"])
  assert.strictEqual(code, 0, stderr)
  return JSON.parse(stdout) as Record<string, unknown>
}

const add = async (...more: ReadonlyArray<string>) => {
  const { id, secret } = await jsonOf("webhook", "add", receiver.url, "--app", "web", ...more)
  return { id: String(id), verifier: verifierOf(String(secret)) }
}

/** The app that `openServer` calls by. */
const makeApp = async () => {
  const { token } = await jsonOf("app", "create", "web")
  writeFileSync(join(workspace.cwd, ".troupe", "app-token"), String(token))
}

/** A server with a webhook of the app that it knows from its start. */
const open = async (env: Readonly<Record<string, string>> = {}) => {
  await makeApp()
  const webhook = await add()
  return { server: await openServer(workspace, env), ...webhook }
}

/** The same server, called by another app. */
const asApp = (server: Server, token: string): Server => {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" }
  const call: Server["call"] = async (method, path, body) => {
    const response = await fetch(server.url + path, {
      method,
      headers,
      ...(body ? { body: JSON.stringify(body) } : {})
    })
    return (await response.json()) as Record<string, unknown>
  }
  return { ...server, token, call }
}

const turn = ({ call }: Server, session: string, prompt: string) =>
  call("POST", `/sessions/${session}/turn`, { prompt })

/** Not those that come by time: how many there are depends on how long a test takes. */
const ofSteps = (received: ReadonlyArray<Received>) =>
  received.filter(({ json }) => json.type !== "session.needs_attention")

const typesOf = (received: ReadonlyArray<Received>) => received.map(({ json }) => json.type)

describe("webhooks", () => {
  it("tell an app of its sessions' turns, approvals, parks and ends, signed, each once, and of no other app's", async () => {
    const { server, verifier } = await open({ TROUPE_RESTART_INTENSITY: "0", TROUPE_APPROVAL_TIMEOUT: "1 second" })
    // Another app's, which must not be heard of.
    const other = asApp(server, String((await jsonOf("app", "create", "other"))["token"]))
    await turn(other, await sessionOf(other), "another app's")
    const session = await sessionOf(server)
    await turn(server, session, "hello")
    const asking = String((await server.call("POST", "/sessions", { agent: "demo", permissions: "ask" }))["session_id"])
    await turn(server, asking, "ask")
    await turn(server, session, "crash")
    await receiver.until((received) => typesOf(received).includes("session.parked"))
    await server.call("DELETE", `/sessions/${session}`)
    await receiver.until((received) => ofSteps(received).length >= 6)
    const received = ofSteps(receiver.received)
    assert.sameMembers(typesOf(received), [
      "turn.ended",
      "approval.asked",
      "turn.ended",
      "turn.ended",
      "session.parked",
      "session.closed"
    ])
    assert.strictEqual(new Set(received.map(({ id }) => id)).size, 6)
    for (const { body, headers, json } of received) {
      assert.deepStrictEqual(verifier.verify(body, headers), json)
      assert.strictEqual(json.data["app"], "web")
      assert.oneOf(json.data["session_id"], [session, asking])
      assert.throws(() => verifier.verify(body.replace("web", "wob"), headers))
    }
    const [first] = received
    assert.deepInclude(first?.json.data, { turn_index: 1, status: "completed", stop_reason: "end_turn", error: null })
    assert.notInclude(first?.body, "hello")
    const failed = received.find(({ json }) => json.data["status"] === "failed")
    assert.deepInclude(failed?.json.data, { session_id: session, turn_index: 2, error_class: "crash" })
    const asked = received.find(({ json }) => json.type === "approval.asked")
    assert.match(String(asked?.json.data["approval_id"]), /^apr_/)
  })

  it("tell what needs somebody by the rules of the dashboard, once, also where it comes by time", async () => {
    await makeApp()
    await add("--event", "session.needs_attention")
    const server = await openServer(workspace, { TROUPE_ATTENTION_ASKED: "1 second" })
    const failed = await sessionOf(server)
    await turn(server, failed, "fail model")
    const asking = String((await server.call("POST", "/sessions", { agent: "demo", permissions: "ask" }))["session_id"])
    await server.call("POST", `/sessions/${asking}/turn`, { prompt: "ask-tool echo hi", wait: false })
    await receiver.until((received) => received.length >= 2)
    const told = receiver.received.map(({ json }) => json)
    assert.deepStrictEqual([...new Set(told.map(({ type }) => type))], ["session.needs_attention"])
    const of = (session: string) => told.find(({ data }) => data["session_id"] === session)?.data
    assert.deepInclude(of(failed), { app: "web", agent: "demo", turn_index: 1, kind: "failed" })
    assert.deepInclude(of(asking), { kind: "asked", reason: "demo asks for permission: echo hi" })
    // The next look finds the same, and another session: only that is told.
    const next = await sessionOf(server)
    await turn(server, next, "fail model")
    await receiver.until((received) => received.some(({ json }) => json.data["session_id"] === next))
    assert.strictEqual(new Set(receiver.received.map(({ id }) => id)).size, receiver.received.length)
    assert.lengthOf(receiver.received, 3)
  })

  it("are delivered after a kill -9 of the server, each event once", async () => {
    const { id, server, verifier } = await open()
    receiver.answer = 503
    const session = await sessionOf(server)
    await turn(server, session, "before")
    await receiver.until((received) => received.length > 0)
    // Stored, and not sent: the next turn's event is owed when the server dies.
    await turn(server, session, "behind")
    server.program.child.kill("SIGKILL")
    await server.program.ended
    const before = receiver.received.length
    receiver.answer = 204
    const again = await openServer(workspace)
    const taken = () => receiver.received.filter(({ status }) => status === 204)
    await receiver.until(() => taken().length >= 2)
    assert.isAtLeast(before, 1)
    for (const { body, headers, json } of taken()) assert.deepStrictEqual(verifier.verify(body, headers), json)
    assert.sameMembers(
      taken().map(({ json }) => json.data["turn_index"]),
      [1, 2]
    )
    const ids = new Set(receiver.received.map((event) => event.id))
    assert.strictEqual(ids.size, 2, "an attempt has another id than the one before")
    const [listed] = (await jsonOf("webhook", "list"))["webhooks"] as ReadonlyArray<Record<string, unknown>>
    assert.deepInclude(listed, { id, app: "web", url: receiver.url, pending: 0, given_up: 0 })
    assert.notProperty(listed, "secret")
    // Nothing of it comes again: the next that comes is the next turn's.
    await turn(again, session, "after")
    await receiver.until(() => taken().length >= 3)
    assert.lengthOf(taken(), 3)
    assert.strictEqual(taken()[2]?.json.data["turn_index"], 3)
  })

  it("are added and removed beside a running server, for some events only, and tested", async () => {
    await makeApp()
    const server = await openServer(workspace)
    const { id, verifier } = await add("--event", "session.closed")
    const tested = await workspace.run(["webhook", "test", id])
    assert.deepStrictEqual([tested.code, tested.stdout], [0, "It took the event (204).\n"])
    assert.strictEqual(receiver.received[0]?.json.type, "webhook.test")
    assert.isOk(verifier.verify(receiver.received[0]!.body, receiver.received[0]!.headers))
    receiver.answer = 500
    const refused = await workspace.run(["webhook", "test", id])
    assert.deepStrictEqual([refused.code, refused.stdout], [1, "It did not take the event: it answered 500.\n"])
    receiver.answer = 204
    // Until the server has looked for webhooks: within two seconds, by a session of each moment.
    while (!typesOf(receiver.received).includes("session.closed")) {
      const session = await sessionOf(server)
      await turn(server, session, "hello")
      await server.call("DELETE", `/sessions/${session}`)
    }
    assert.notInclude(typesOf(receiver.received), "turn.ended")
    // The receiver is gone for good.
    receiver.answer = 410
    await server.call("DELETE", `/sessions/${await sessionOf(server)}`)
    await server.program.until(() => server.program.stderr().includes("webhook disabled"))
    const removed = await workspace.run(["webhook", "remove", id])
    assert.strictEqual(removed.code, 0, removed.stderr)
    assert.deepStrictEqual((await jsonOf("webhook", "list"))["webhooks"], [])
  })

  it("refuse what is no address, no event and no app, in one line", async () => {
    await jsonOf("app", "create", "web")
    const refusalOf = async (...args: ReadonlyArray<string>) =>
      (await workspace.run(["webhook", "add", ...args])).stderr
    assert.match(await refusalOf("ftp://example.org", "--app", "web"), /^troupe: .*http or https.*\n$/)
    assert.match(await refusalOf("http://me:pass@example.org", "--app", "web"), /^troupe: .*no user.*\n$/)
    assert.match(await refusalOf(receiver.url, "--app", "nobody"), /^troupe: .*nobody.*\n$/)
    assert.match(await refusalOf(receiver.url, "--app", "web", "--event", "turn.begun"), /^troupe: .*turn\.begun.*\n$/)
    assert.match(await refusalOf(receiver.url, "--app", "web", "--secret", "whsec_short"), /^troupe: .*whsec_.*\n$/)
  })
})
