/** What the processes of a session used, as it is kept for who looks. */
import { assert, describe, it } from "@effect/vitest"
import { SessionId } from "../../src/domain/Ids.ts"
import { Looks, UseSamples } from "../../src/supervision/UseSamples.ts"

const session = SessionId.make("ses_1")
const use = (cpu: Readonly<Record<number, number>>) => ({
  rssBytes: 1_000,
  processes: Object.keys(cpu).length,
  cpu: new Map(Object.entries(cpu).map(([pid, seconds]) => [Number(pid), seconds]))
})

describe("samples of a session's processes", () => {
  it("say how many processors were busy since the one before, whoever came or went", () => {
    const samples = new UseSamples()
    samples.add(session, use({ 1: 10, 2: 100 }), 1_000)
    samples.add(session, use({ 1: 10.5, 2: 101 }), 2_000)
    // 2 has ended, 3 has come.
    samples.add(session, use({ 1: 11, 3: 0.25 }), 3_000)
    // Nobody looked for a minute: of that nothing is known.
    samples.add(session, use({ 1: 60 }), 63_000)
    assert.deepStrictEqual(
      samples.of(session).map(({ at, cpu, processes }) => [at, cpu, processes]),
      [
        [1_000, 0, 2],
        [2_000, 1.5, 2],
        [3_000, 0.75, 2],
        [63_000, 0, 1]
      ]
    )
  })

  it("are bounded for each session, and in the number of sessions", () => {
    const samples = new UseSamples()
    for (let n = 0; n < 1_000; n++) samples.add(session, use({ 1: n }), n * 1_000)
    assert.strictEqual(samples.of(session).length, 300)
    for (let n = 0; n < 64; n++) samples.add(SessionId.make(`ses_other${n}`), use({}), n)
    assert.deepStrictEqual(samples.of(session), [])
  })

  it("are taken while somebody looks, and a while longer", () => {
    const looks = new Looks()
    looks.note(session, 1_000)
    assert.isTrue(looks.has(session, 15_999))
    assert.isTrue(looks.hasAny(15_999))
    assert.isFalse(looks.has(session, 16_000))
    assert.isFalse(looks.hasAny(16_000))
  })
})
