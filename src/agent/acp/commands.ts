/**
 * The commands that an agent runs, as the kernel sees them: in groups of their own, apart from the agent's.
 *
 * What the agent says of them is not enough for an interrupt, which must leave none: codex tells of a command 0.15 s
 * after it began, and Claude says that a turn is over 1 ms before the command that it ended is gone (both observed).
 */
import { Effect } from "effect"
import type { LeaseId } from "../../domain/Ids.ts"
import { kernelSleep } from "../Child.ts"
import type { Processes } from "../Processes.ts"
import * as ProcessTable from "../processTable.ts"

/** Also how much longer an interrupt takes where Claude has a background task, which is to go on. */
const goneWithinMillis = 500

const lookEveryMillis = 10

/** `true` also for an agent's servers (MCP) that it gave a group. `holders`: what else leads a group of the agent's. */
export const anyLeft = (processes: Processes["Service"], lease: LeaseId, holders: RegExp | null = null) =>
  Effect.map(processes.tree(lease), (tree) => {
    // Our own children are the agent, or carry prompts to it.
    const leaders = tree.filter(({ command, ppid }) => ppid === process.pid || holders?.test(command) === true)
    const agents = new Set(leaders.map(({ pid }) => pid))
    return tree.some(({ pid }) => {
      const stat = ProcessTable.stat(pid)
      return stat !== null && !stat.zombie && !agents.has(stat.group)
    })
  })

/** For those that were told to end. Waits no longer than half a second. */
export const untilGone = (processes: Processes["Service"], lease: LeaseId, holders: RegExp | null = null) =>
  Effect.gen(function* () {
    for (let waited = 0; waited < goneWithinMillis; waited += lookEveryMillis) {
      if (!(yield* anyLeft(processes, lease, holders))) return
      yield* kernelSleep(lookEveryMillis)
    }
  })
