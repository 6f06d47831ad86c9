/** `troupe chat` in a workspace, read match by match. */
import type { Running, Stdin, Workspace } from "./program.ts"

export interface Chat extends Running {
  /** Resolves with the next match after the last one. */
  readonly printsNext: (pattern: RegExp) => Promise<RegExpExecArray>
  readonly isTerminal: boolean
}

export const startChat = (
  workspace: Workspace,
  stdin: Stdin,
  args: ReadonlyArray<string> = ["--data-dir", ":memory:"],
  env = {}
): Chat => {
  const program = workspace.start(["chat", ...args], env, stdin)
  let from = 0
  const printsNext = async (pattern: RegExp) => {
    const match = await program.printed(pattern, from)
    from += match.index + match[0].length
    return match
  }
  return { ...program, printsNext, isTerminal: stdin === "terminal" }
}

/** Asks the agent for its pid, and says yes to its question, unless the session has `approve_all`. */
export const agentOf = async ({ printsNext, isTerminal, write }: Chat, asks = true): Promise<number> => {
  if (!asks) write("tool echo agent $PPID\n")
  else if (isTerminal) {
    // A terminal sends a carriage return for Enter.
    write("tool echo agent $PPID\r")
    await printsNext(/\? execute: echo agent[^]*details › /)
    write("y")
  } else {
    write("tool echo agent $PPID\ny\n")
  }
  return Number((await printsNext(/^agent (\d+)\r?$/m))[1])
}
