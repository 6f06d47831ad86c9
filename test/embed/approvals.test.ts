/** Approvals in the library: requested by the demo agent, seen in the session's events, answered with a promise. */
/* oxlint-disable unicorn/no-thenable -- a rule says what is then, as on the wire */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { openTroupe, TroupeError } from "../../src/promise.ts"
import type { Session, Troupe } from "../../src/promise.ts"

const demo = join(import.meta.dirname, "../../src/agent/demo/main.ts")
const replay = join(import.meta.dirname, "../fixtures/agents/acp-replay.ts")
const traces = join(import.meta.dirname, "../fixtures/traces/acp")

/** The id of the first approval after event `after`, from the stream. */
const firstApprovalId = async (session: Session, after = 0): Promise<string> => {
  for await (const { message } of session.events({ after })) {
    if ("method" in message && message.method === "_troupe/approval_asked") {
      return (message.params as { readonly approval_id: string }).approval_id
    }
  }
  return assert.fail("the session ended without a question")
}

describe("an approval", () => {
  let troupe: Troupe
  beforeEach(async () => {
    troupe = await openTroupe({ dataDir: ":memory:", defaultAgent: "demo", drainMillis: 500 })
  })
  afterEach(() => troupe.close())

  it("is in the events, listed, and answered once", async () => {
    const session = await troupe.createSession({ permissions: "ask" })
    const turn = session.turn("ask edit")
    const id = await firstApprovalId(session)
    const [one] = await session.approvals()
    assert.containSubset(one, { id, turn: 1, kind: "edit", status: "pending" })
    assert.containSubset(await session.answer(id, "once"), { status: "answered", decidedBy: "embedded" })
    assert.include((await turn).finalText, "allow-once")
    const secondAnswer = await session.answer(id, "deny").catch((error: unknown) => error)
    assert.instanceOf(secondAnswer, TroupeError)
    assert.containSubset(secondAnswer, { code: "approval_settled", status: 409 })
    assert.deepStrictEqual(await session.approvals(), [])
  })

  it("is not requested where a rule has decided", async () => {
    const session = await troupe.createSession({
      permissions: { default: "ask", rules: [{ match: { path: "demo.txt" }, then: "deny" }] }
    })
    assert.include((await session.turn("ask edit")).finalText, "reject-once")
    assert.strictEqual((await session.turns()).length, 1)
  })
})

it("an approval is withdrawn when the agent takes its request back, and the turn goes on with the others", async () => {
  const command = [process.execPath, replay, join(traces, "codex-parallel-tools.ndjson"), "take-back"] as const
  await using troupe = await openTroupe({ dataDir: ":memory:", agents: { codex: { protocol: "acp", command } } })
  const session = await troupe.createSession({ agent: "codex", permissions: "ask" })
  const turn = session.turn("both")
  const settled: Array<unknown> = []
  /** By the request's title: which of the two is asked first is not said. */
  const open = new Map<string, string>()
  for await (const { message } of session.events({ after: 0 })) {
    if (message.method === "_troupe/approval_asked") {
      open.set(String(message.params["title"]).split(" (")[0]!, String(message.params["approval_id"]))
      // The agent takes the second back when it has the answer to the first.
      if (open.size === 2) await session.answer(open.get("touch p1")!, "once")
    }
    if (message.method !== "_troupe/approval_settled") continue
    const { decided_by, status } = message.params
    settled.push([status, decided_by])
    if (settled.length === 2) break
  }
  assert.deepStrictEqual(settled, [
    ["answered", "embedded"],
    ["withdrawn", "troupe"]
  ])
  assert.containSubset(await turn, { ok: true, completed: true })
})

it("a session whose agent can no longer be kept to its permission rules fails its turns", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "troupe-embed-"))
  try {
    const direct = { protocol: "acp", command: [process.execPath, demo] } as const
    const before = await openTroupe({ dataDir, agents: { mine: direct } })
    const rules = [{ match: { kind: "execute" }, then: "deny" }] as const
    const { id } = await before.createSession({ agent: "mine", permissions: { default: "approve_all", rules } })
    await before.close()
    await using after = await openTroupe({ dataDir, agents: { mine: { protocol: "acpx", registry: "claude" } } })
    const turn = await (await after.session(id)).turn("hello")
    assert.isFalse(turn.ok)
    assert.match(turn.error ?? "", /^config: Permissions rules can't be kept behind acpx/)
  } finally {
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 })
  }
})
