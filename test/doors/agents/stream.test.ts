/** The stream of a session of OpenAI's Agents API: who comes back, who reads beside whom, and what ends it. */
import { assert, describe, it } from "@effect/vitest"
import { UnprocessableEntityError } from "openai"
import type { AgentSessionEvent } from "openai/resources/beta/agents/agents"
import { environment, refusalOf, say, textsOf, world } from "./client.ts"

const { clientOf, itemsOf, mint, open, rested, restart, send, server, sessions, workspace } = world()

describe("the stream of a session", () => {
  const collect = async (stream: AsyncIterable<AgentSessionEvent>, isLast: (event: AgentSessionEvent) => boolean) => {
    const events: Array<AgentSessionEvent> = []
    for await (const event of stream) {
      events.push(event)
      if (isLast(event)) break
    }
    return events
  }
  const isDone = ({ type }: AgentSessionEvent) => type === "agent.session.idle"
  const after = (id: string, event: string) => sessions().events.stream(id, { query: { after: event } })

  it("gives the rest to a reader that comes back, at any event, and the same to all", async () => {
    const { id } = await open({ metadata: { permissions: "approve_all" } })
    const whole = await collect(sessions().stream(id, { input: "think\ntool echo hi\nslow 3 30" }), () => false)
    const named = (events: ReadonlyArray<AgentSessionEvent>) =>
      events.map((event) => ("session" in event ? { type: event.type, event_id: event.event_id } : event))
    for (const [nth, event] of whole.entries()) {
      if (nth === 0 || nth === whole.length - 1) continue
      const rest = await collect(await after(id, event.event_id), isDone)
      assert.deepStrictEqual(named(rest), named(whole.slice(nth + 1)), event.type)
    }
    const byHeader = await sessions().events.stream(id, { headers: { "Last-Event-ID": whole[3]!.event_id } })
    assert.deepStrictEqual(named(await collect(byHeader, isDone)), named(whole.slice(4)))
  })

  it("is the same for two clients at one session, each of which sends", async () => {
    const { id } = await open()
    const [one, two] = await Promise.all([sessions().events.stream(id), sessions().events.stream(id)])
    let ended = 0
    const isBoth = ({ type }: AgentSessionEvent) => type === "agent.session.turn.completed" && ++ended >= 2
    const reading = collect(one, isBoth)
    await Promise.all([send(id, "slow 3 20"), send(id, "slow 2 20")])
    const first = await reading
    ended = 0
    assert.deepStrictEqual(
      (await collect(two, isBoth)).map(({ event_id }) => event_id),
      first.map(({ event_id }) => event_id)
    )
    const created = first.flatMap((event) => (event.type === "agent.session.turn.created" ? [event.turn_id] : []))
    assert.strictEqual(new Set(created).size, 2)
  })

  it("begins in the middle of a turn with what that has said, also where a later one was cancelled in line", async () => {
    const { id } = await open({ input: "slow 60 30" })
    await send(id, "never")
    const { call } = server()
    const interrupted = await call("POST", `/sessions/${id}/turns/2/interrupt`, {})
    assert.strictEqual(interrupted["ok"], true, JSON.stringify(interrupted))
    const events = await collect(await sessions().events.stream(id), isDone)
    assert.strictEqual(events[0]?.type, "agent.session.in_progress")
    const delta = events.find((event) => event.type === "agent.session.turn.output_text.delta")
    const done = events.find((event) => event.type === "agent.session.turn.output_text.done")
    assert.strictEqual(delta?.item_id, done?.item_id)
    assert.match(done?.text ?? "", /^word1 .*word60 $/)
    assert.deepStrictEqual(
      (await sessions().turns.list(id)).data.map(({ status }) => status),
      ["cancelled", "completed"]
    )
  })

  it("has a message once for its key, over a server that is killed in the middle of the turn, and goes on", async () => {
    const { id } = await open()
    const reading = await sessions().events.stream(id)
    await send(id, "slow 200 50", "the-same")
    const seen = await collect(reading, ({ type }) => type === "agent.session.turn.output_text.delta")
    await restart()
    await send(id, "slow 200 50", "the-same")
    const rest = await collect(await after(id, seen.at(-1)!.event_id), isDone)
    const failed = rest.find((event) => event.type === "agent.session.turn.failed")
    assert.match(failed?.turn.error?.message ?? "", /^outcome_unknown: /)
    const turns = (await sessions().turns.list(id)).data
    assert.deepStrictEqual(
      turns.map((turn) => [turn.id, turn.status]),
      [[failed?.turn.id, "failed"]]
    )
    const conflict = await refusalOf(send(id, "other", "the-same"))
    assert.instanceOf(conflict, UnprocessableEntityError)
    assert.strictEqual(conflict.code, "idempotency_conflict")
    await send(id, "hello again")
    await rested(id)
    assert.include(textsOf(await itemsOf(id), "assistant").join(""), "hello again")
  })

  it("ends where the token is replaced, and says so in an event behind which its reader goes on with the new one", async () => {
    const first = clientOf(await mint("desk")).beta.agents.sessions
    const { id } = await first.create({ agent_id: "demo", environment })
    const reading = collect(await first.events.stream(id), () => false)
    const rotated = await workspace().run(["app", "rotate", "desk"])
    const last = (await reading).at(-1)
    assert(last?.type === "error")
    assert.deepInclude(last, { session_id: id })
    assert.deepInclude(last.error, { code: "unauthorized" })
    const again = clientOf(rotated.stdout.trim().split("\n")[0]!).beta.agents.sessions
    await again.events.create(id, { events: [say("hello")] })
    const rest = await collect(await again.events.stream(id, { query: { after: last.event_id } }), isDone)
    assert.deepStrictEqual(rest[0]?.type, "agent.session.turn.created")
  })

  it("ends with the session", async () => {
    const { id } = await open({ input: "hello" })
    await rested(id)
    const events = collect(await sessions().events.stream(id), () => false)
    await sessions().delete(id)
    assert.deepStrictEqual(
      (await events).map(({ type }) => type),
      ["agent.session.idle"]
    )
  })
})
