/**
 * The commands that an agent runs, as the kernel sees them: in groups of their own, apart from the agent's.
 *
 * Claude says that a cancelled turn is over when it has told the turn's command to end, a moment before that is gone
 * (observed: 1 ms). Whoever was told that an interrupt is done must not find it running, so an interrupt waits here.
 */
import { Effect } from "effect"
import type { LeaseId } from "../../domain/Ids.ts"
import { kernelSleep } from "../Child.ts"
import type { Processes } from "../Processes.ts"
import * as ProcessTable from "../ProcessTable.ts"

/** Also how long an interrupt takes longer where Claude has a background task, which is to go on. */
const goneWithinMillis = 500

const lookEveryMillis = 10

/** `holders` lead the groups that the agent itself is in, besides the children of ours that carry prompts. */
export const untilGone = (processes: Processes["Service"], lease: LeaseId, holders: RegExp | null = null) =>
  Effect.gen(function* () {
    for (let waited = 0; waited < goneWithinMillis; waited += lookEveryMillis) {
      const tree = yield* processes.tree(lease)
      const leaders = tree.filter(({ command, ppid }) => ppid === process.pid || holders?.test(command) === true)
      const agents = new Set(leaders.map(({ pid }) => pid))
      const commands = tree.filter(({ pid }) => {
        const stat = ProcessTable.stat(pid)
        return stat !== null && !stat.zombie && !agents.has(stat.group)
      })
      if (commands.length === 0) return
      yield* kernelSleep(lookEveryMillis)
    }
  })
