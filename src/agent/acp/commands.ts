/**
 * The commands that an agent runs, as the kernel sees them: in process groups other than the agent's.
 *
 * An interrupt must leave no command, and the agent's updates are not enough to know: codex reports a command 0.15 s
 * after it began, and Claude reports a turn's end 1 ms before the command that it ended is gone (both observed).
 */
import { Effect } from "effect"
import type { LeaseId } from "../../domain/Ids.ts"
import { kernelSleep } from "../Child.ts"
import type { Processes } from "../Processes.ts"
import * as ProcessTable from "../processTable.ts"

/** An interrupt also takes this much longer where Claude has a background task, which is meant to continue. */
const goneWithinMillis = 500

const pollMillis = 10

/**
 * Whether a command of the agent still runs. Also `true` for a server of the agent (MCP) that has its own group.
 * `leaders` matches the command lines of other processes that lead a group of the agent's.
 */
export const anyLeft = (processes: Processes["Service"], lease: LeaseId, leaders: RegExp | null = null) =>
  Effect.map(processes.tree(lease), (tree) => {
    // Our own children are the agent, or carry prompts to it.
    const agents = tree.filter(({ command, ppid }) => ppid === process.pid || leaders?.test(command) === true)
    const agentGroups = new Set(agents.map(({ pid }) => pid))
    return tree.some(({ pid }) => {
      const stat = ProcessTable.stat(pid)
      return stat !== null && !stat.zombie && !agentGroups.has(stat.group)
    })
  })

/** Waits until no command is left, for commands that were asked to end; at most half a second. */
export const untilGone = (processes: Processes["Service"], lease: LeaseId, leaders: RegExp | null = null) =>
  Effect.gen(function* () {
    for (let waited = 0; waited < goneWithinMillis; waited += pollMillis) {
      if (!(yield* anyLeft(processes, lease, leaders))) return
      yield* kernelSleep(pollMillis)
    }
  })
