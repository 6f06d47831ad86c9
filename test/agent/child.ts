/** Helpers of the agents' tests: a scripted child under a lease of its own, and the state of a pid. */
import { readFileSync } from "node:fs"
import { Effect, Stream } from "effect"
import type { LeaseId } from "../../src/domain/Ids.ts"
import { Processes } from "../../src/agent/Processes.ts"
import type { Child, SpawnSpec } from "../../src/agent/Processes.ts"

export const freshLease = (): LeaseId => `test-${crypto.randomUUID()}` as LeaseId

export const fixture = (name: string): string => new URL(`../fixtures/agents/${name}.ts`, import.meta.url).pathname

/** A spec of a fixture, run by the Node that runs the tests. */
export const specOf = (name: string, changes: Partial<SpawnSpec> & { readonly args?: ReadonlyArray<string> } = {}) => {
  const { args = [], ...spec } = changes
  return {
    lease: freshLease(),
    command: [process.execPath, fixture(name), ...args],
    cwd: import.meta.dirname,
    env: { PATH: process.env["PATH"] ?? "" },
    stdin: true,
    spawned: () => Effect.void,
    ...spec
  } satisfies SpawnSpec
}

export const spawn = Effect.fnUntraced(function* (spec: SpawnSpec) {
  const processes = yield* Processes
  const child = yield* processes.spawn(spec)
  // Swept before the scope closes, which would wait for a child that ignores SIGTERM.
  yield* Effect.addFinalizer(() => processes.sweep(spec.lease))
  return child
})

/** The first line of a child's output. Its stdout can't be read again. */
export const firstLine = (child: Child) =>
  child.stdout.pipe(Stream.decodeText(), Stream.splitLines, Stream.take(1), Stream.mkString)

/** Whether a process exists and is no zombie. */
export const isAlive = (pid: number): boolean => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1")
    // One that has given up its memory runs nothing any more: the kernel is about to make it a zombie.
    const hasMemory = !readFileSync(`/proc/${pid}/statm`, "latin1").startsWith("0 ")
    return hasMemory && stat.slice(stat.lastIndexOf(")") + 2)[0] !== "Z"
  } catch {
    return false
  }
}
