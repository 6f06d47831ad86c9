/** Which version of an agent is there: what its package says, else what it answers to `--version`. */
import { Effect, Stream } from "effect"
import { tmpdir } from "node:os"
import { newLeaseId } from "../domain/Ids.ts"
import * as Launch from "./Launch.ts"
import type { Processes } from "./Processes.ts"

/** A program that takes longer to tell its version is not asked to the end. */
const answerWithinMillis = 5_000

/** A version stands in the first lines, or nowhere. */
const longestAnswer = 4_096

/** `null` where nobody knows, or nobody could be asked. Never fails, and leaves no process. */
export const of = Effect.fnUntraced(function* (
  processes: Processes["Service"],
  command: Launch.Command,
  env: Readonly<Record<string, string>>
) {
  const program = Launch.programOf(command)
  if (program === null) return null
  return (
    Launch.packageVersion(program) ?? (Launch.answersVersion(command) ? yield* asked(processes, program, env) : null)
  )
})

const asked = (processes: Processes["Service"], program: string, env: Readonly<Record<string, string>>) => {
  const lease = newLeaseId("version-")
  const spec = { lease, command: [program, "--version"] as const, cwd: tmpdir(), env, stdin: false }
  return Effect.acquireUseRelease(
    processes.spawn({ ...spec, spawned: () => Effect.void }),
    (child) => {
      let said = ""
      return child.stdout.pipe(
        Stream.decodeText(),
        Stream.takeUntil((text) => (said += text).length > longestAnswer),
        Stream.runDrain,
        Effect.timeoutOption(answerWithinMillis),
        Effect.map(() => versionIn(said.slice(0, longestAnswer)))
      )
    },
    () => processes.sweep(lease)
  ).pipe(
    Effect.scoped,
    Effect.orElseSucceed(() => null)
  )
}

/** `codex-cli 0.169.0`, `2.1.328 (Claude Code)`, `v1.2.3-beta.4`: the first thing that looks like one. */
export const versionIn = (text: string): string | null =>
  /(?<![\d.])\d+\.\d+(?:\.\d+)*(?:[-+][0-9A-Za-z.-]+)?/.exec(text)?.[0] ?? null
