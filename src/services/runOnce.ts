/**
 * One prompt through `claude -p` without a runtime: no ledger, no data dir, no limit of processes.
 *
 * The run works in a temporary directory that is removed with it. Nothing records its lease, because a process that this
 * one started is ended with it.
 */
import { Effect, Layer } from "effect"
import { randomBytes } from "node:crypto"
import { OneShot } from "../agent/OneShot.ts"
import { Processes } from "../agent/Processes.ts"
import { LeaseId } from "../domain/Ids.ts"
import type { RunSpec } from "../domain/Settings.ts"
import { checkRunPermissions } from "./checkPermissions.ts"
import type { RunPrompt } from "./OneShotRuns.ts"

/** A failure of `claude` is a result. `request` names no files: there is nothing that would keep them. */
export const runOnce = (
  spec: RunSpec,
  request: Omit<RunPrompt, "files" | "keyed" | "timeoutMillis"> & { readonly timeoutMillis: number }
) =>
  Effect.gen(function* () {
    yield* checkRunPermissions(request.permissions)
    const processes = yield* Processes
    const oneShot = yield* OneShot
    return yield* oneShot.run({
      prompt: request.prompt,
      model: request.model ?? null,
      system: request.system ?? null,
      timeoutMillis: request.timeoutMillis,
      permissions: request.permissions ?? null,
      readable: [],
      cwd: yield* processes.temporary("run"),
      lease: LeaseId.make(`run_${randomBytes(16).toString("hex")}`),
      spawned: () => Effect.void
    })
  }).pipe(Effect.scoped, Effect.provide(OneShot.layer(spec).pipe(Layer.provideMerge(Processes.layer))))
