/** Finds the version of an installed agent: that of its package, else its answer to `--version`. */
import { Effect, Stream } from "effect"
import { tmpdir } from "node:os"
import { newLeaseId } from "../domain/Ids.ts"
import * as Launch from "./Launch.ts"
import type { Processes } from "./Processes.ts"

/** A program that takes longer to answer is ended. */
const answerWithinMillis = 5_000

/** A version is in the first lines, or nowhere. */
const maxAnswerCharacters = 4_096

/** `null`: the version is not known. Never fails, and leaves no process. */
export const of = Effect.fnUntraced(function* (
  processes: Processes["Service"],
  command: Launch.Command,
  env: Readonly<Record<string, string>>
) {
  const program = Launch.programOf(command)
  if (program === null) return null
  return (
    Launch.packageVersion(program) ??
    (Launch.answersVersion(command) ? yield* askProgram(processes, program, env) : null)
  )
})

const askProgram = (processes: Processes["Service"], program: string, env: Readonly<Record<string, string>>) => {
  const lease = newLeaseId("version-")
  const spec = { lease, command: [program, "--version"] as const, cwd: tmpdir(), env, stdin: false }
  return processes.spawn({ ...spec, spawned: () => Effect.void }).pipe(
    Effect.flatMap((child) => {
      let output = ""
      return child.stdout.pipe(
        Stream.decodeText(),
        Stream.takeUntil((text) => (output += text).length > maxAnswerCharacters),
        Stream.runDrain,
        Effect.timeoutOption(answerWithinMillis),
        Effect.map(() => versionIn(output.slice(0, maxAnswerCharacters)))
      )
    }),
    Effect.ensuring(processes.sweep(lease)),
    Effect.scoped,
    Effect.orElseSucceed(() => null)
  )
}

/** The first version in a text such as `codex-cli 0.169.0`, `2.1.328 (Claude Code)` or `v1.2.3-beta.4`. */
export const versionIn = (text: string): string | null =>
  /(?<![\d.])\d+\.\d+(?:\.\d+)*(?:[-+][0-9A-Za-z.-]+)?/.exec(text)?.[0] ?? null
