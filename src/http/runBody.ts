/** The body of a one-shot run, done or failed: exactly the contract's keys. `troupe run --json` prints the same. */
import type { RunResult } from "../services/OneShotRuns.ts"

export const runBody = (result: RunResult) =>
  result.ok
    ? {
        ok: true,
        result: result.result,
        duration_ms: result.durationMillis,
        stop_reason: result.stopReason
      }
    : {
        ok: false,
        error: result.error,
        stderr: result.stderr,
        duration_ms: result.durationMillis,
        stop_reason: result.stopReason
      }
