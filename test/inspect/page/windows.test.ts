/** Windows and the worker that they share, over real message ports: what a window misses, and what a slow one costs. */
import { afterEach, assert, describe, it } from "@effect/vitest"
import { MessageChannel } from "node:worker_threads"
import type { TopicReader, Topics } from "../../../src/inspect/client/topics.ts"
import { portOf } from "../../../src/inspect/page/live/messages.ts"
import { throughWorker } from "../../../src/inspect/page/live/throughWorker.ts"
import { mostUntaken, windowsOf } from "../../../src/inspect/page/live/windows.ts"

type AnyPort = Parameters<typeof portOf>[0]

interface Served {
  readonly name: string
  readonly after: string
  readonly reader: TopicReader
  ended: boolean
}

/** Topics that the test feeds. */
const fed = () => {
  const served: Array<Served> = []
  let heard = () => {}
  const make = (onHeard: () => void): Topics => {
    heard = onHeard
    return {
      follow: (name, after, reader) => {
        const one: Served = { name, after, reader, ended: false }
        served.push(one)
        return () => {
          one.ended = true
        }
      },
      retry: () => {}
    }
  }
  return { served, make, heard: () => heard() }
}

const opened: Array<() => void> = []
afterEach(() => {
  for (const close of opened.splice(0)) close()
})

const start = () => {
  const worker = fed()
  const windows = windowsOf(worker.make)
  const open = () => {
    const { port1, port2 } = new MessageChannel()
    windows.connect(portOf(port2 as unknown as AnyPort))
    const own = fed()
    let heard = 0
    const window = throughWorker(
      portOf(port1 as unknown as AnyPort),
      () => heard++,
      () => own.make(() => {})
    )
    opened.push(() => {
      window.end()
      port1.close()
      port2.close()
    })
    return { window, own, heard: () => heard }
  }
  return { worker, windows, open }
}

/** Messages of ports come in turns of the event loop. */
const until = async (isIt: () => boolean) => {
  const deadline = performance.now() + 10_000
  while (!isIt()) {
    if (performance.now() > deadline) throw new Error("it never came")
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

const reading = () => {
  const ids: Array<string> = []
  const phases: Array<string> = []
  const reader: TopicReader = { onEvent: ({ id }) => ids.push(id), onPhase: ({ name }) => phases.push(name) }
  return { ids, phases, reader }
}
const event = (n: number, chars = 2) => ({ id: `e${n}.s0`, event: "event", data: "x".repeat(chars) })

describe("windows of one browser", () => {
  it("get each its own topics, in order, with the phase behind the events that led to it", async () => {
    const { open, worker } = start()
    const [first, second] = [open(), open()]
    const [a, b] = [reading(), reading()]
    first.window.follow("ses_a", "", a.reader)
    const stop = second.window.follow("ses_b", "e5.s1", b.reader)
    await until(() => worker.served.length === 2)
    assert.deepStrictEqual(
      worker.served.map(({ after, name }) => [name, after]),
      [
        ["ses_a", ""],
        ["ses_b", "e5.s1"]
      ]
    )
    const [toA, toB] = worker.served
    for (const n of [1, 2, 3]) toA?.reader.onEvent(event(n))
    toA?.reader.onPhase({ name: "live" })
    toB?.reader.onEvent(event(6))
    await until(() => a.phases.length === 1 && b.ids.length === 1)
    assert.deepStrictEqual([a.ids, a.phases, b.ids], [["e1.s0", "e2.s0", "e3.s0"], ["live"], ["e6.s0"]])
    stop()
    await until(() => toB?.ended === true)
    worker.heard()
    await until(() => first.heard() === 1)
    assert.strictEqual(second.heard(), 0)
  })

  it("cost bounded memory where one takes nothing, and that one goes on where it was", async () => {
    const { open, worker } = start()
    const [slow, other] = [open(), open()]
    const [a, b] = [reading(), reading()]
    slow.window.follow("ses_a", "", a.reader)
    other.window.follow("ses_b", "", b.reader)
    await until(() => worker.served.length === 2)
    const [toSlow, toOther] = worker.served
    // It takes nothing in between: all of this is one turn of the event loop.
    let sent = 0
    while (sent < 100) {
      if (toSlow === undefined || toSlow.ended) break
      sent += 1
      toSlow.reader.onEvent(event(sent, mostUntaken / 10))
      await Promise.resolve()
    }
    assert.isTrue(toSlow?.ended)
    assert.isBelow(sent, 12)
    toOther?.reader.onEvent(event(1))
    await until(() => worker.served.length === 3 && b.ids.length === 1)
    assert.deepStrictEqual([worker.served[2]?.name, worker.served[2]?.after], ["ses_a", `e${sent}.s0`])
    worker.served[2]?.reader.onEvent(event(sent + 1))
    await until(() => a.ids.length === sent + 1)
    assert.deepStrictEqual(
      a.ids,
      Array.from({ length: sent + 1 }, (_, n) => `e${n + 1}.s0`)
    )
  })

  it("are forgotten where they say nothing for minutes, and follow again when they come back", async () => {
    const { open, windows, worker } = start()
    const { window } = open()
    const { ids, reader } = reading()
    window.follow("steps", "", reader)
    await until(() => worker.served.length === 1)
    worker.served[0]?.reader.onEvent(event(7))
    await until(() => ids.length === 1)
    windows.forget(Date.now() + 60_000)
    assert.isFalse(worker.served[0]?.ended)
    windows.forget(Date.now() + 600_000)
    assert.isTrue(worker.served[0]?.ended)
    await until(() => worker.served.length === 2)
    assert.strictEqual(worker.served[1]?.after, "e7.s0")
  })

  it("leave when they are hidden for good, and come back with what they had", async () => {
    const { open, worker } = start()
    const { window } = open()
    const { ids, reader } = reading()
    window.follow("ses_a", "", reader)
    await until(() => worker.served.length === 1)
    worker.served[0]?.reader.onEvent(event(3))
    await until(() => ids.length === 1)
    window.leave()
    await until(() => worker.served[0]?.ended === true)
    window.comeBack()
    await until(() => worker.served.length === 2)
    assert.strictEqual(worker.served[1]?.after, "e3.s0")
  })

  it("have a connection of their own, from where they were, where the worker is gone", async () => {
    const { open, worker } = start()
    const { own, window } = open()
    const { ids, reader } = reading()
    window.follow("ses_a", "", reader)
    await until(() => worker.served.length === 1)
    worker.served[0]?.reader.onEvent(event(4))
    await until(() => ids.length === 1)
    window.giveUp()
    assert.deepStrictEqual(
      own.served.map(({ after, name }) => [name, after]),
      [["ses_a", "e4.s0"]]
    )
    await until(() => worker.served[0]?.ended === true)
    const stop = window.follow("steps", "", reader)
    stop()
    assert.deepStrictEqual(
      own.served.map(({ ended }) => ended),
      [false, true]
    )
  })
})
