/**
 * acpx's owner process: `__queue-owner`, which holds the agent between prompts.
 *
 * acpx detaches it into a session of its own, so it is in no group of ours; it is found by the marker that it inherited.
 */
import { Effect } from "effect"
import type { LeaseId } from "../../domain/Ids.ts"
import { kernelSleep } from "../Child.ts"
import type { Processes } from "../Processes.ts"
import * as ProcessTable from "../processTable.ts"

/** An owner that is terminated closes its agent first: 1.5 s for Claude. What is left then is the sweep's. */
const leaveWithinMillis = 2_500

const lookEveryMillis = 50

/** Of a command line. */
export const isOwner = /__queue-owner/

const owners = (processes: Processes["Service"], lease: LeaseId) =>
  Effect.map(processes.tree(lease), (tree) => tree.filter(({ command }) => isOwner.test(command)))

/** Ends the agent too, and its commands. acpx's record stays, and the next prompt resumes from it. */
export const end = (processes: Processes["Service"], lease: LeaseId) =>
  Effect.gen(function* () {
    for (const { pid } of yield* owners(processes, lease)) ProcessTable.send(pid, "SIGTERM")
    for (let waited = 0; waited < leaveWithinMillis; waited += lookEveryMillis) {
      if ((yield* owners(processes, lease)).length === 0) return
      yield* kernelSleep(lookEveryMillis)
    }
  })
