/** One-shot runs of a scripted `claude`. */
import { tmpdir } from "node:os"
import { Effect, Layer } from "effect"
import { OneShot } from "../../src/agent/OneShot.ts"
import type { RunRequest } from "../../src/agent/OneShot.ts"
import { Processes } from "../../src/agent/Processes.ts"
import type { RunSpec } from "../../src/domain/Settings.ts"
import { fixture } from "./child.ts"
import { LeaseId } from "../../src/domain/Ids.ts"

/** A run without any wishes, under a lease of its own. */
export const runRequest = (request: Partial<RunRequest> = {}): RunRequest => ({
  lease: LeaseId.make(`run_${crypto.randomUUID()}`),
  spawned: () => Effect.void,
  prompt: "hello",
  model: null,
  system: null,
  timeoutMillis: 15_000,
  cwd: tmpdir(),
  permissions: null,
  readable: [],
  ...request
})

/** Runs a `claude` that follows `script`. */
export const run = (script: string, request: Partial<RunRequest> = {}, spec: Partial<RunSpec> = {}) =>
  Effect.gen(function* () {
    const oneShot = yield* OneShot
    return yield* oneShot.run(runRequest(request))
  }).pipe(
    Effect.provide(
      OneShot.layer({
        command: [process.execPath, fixture("claude")],
        ...spec,
        env: { FAKE_CLAUDE: script, ...spec.env }
      }).pipe(Layer.provide(Processes.layer))
    )
  )
