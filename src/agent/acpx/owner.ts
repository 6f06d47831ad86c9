/**
 * Ends acpx's owner process: `__queue-owner`, which holds the agent between prompts.
 *
 * acpx detaches it into a session of its own, so it is in no process group of ours; it is found by our marker, which it
 * inherits.
 */
import { Effect } from "effect"
import type { LeaseId } from "../../domain/Ids.ts"
import { kernelSleep } from "../Child.ts"
import type { Processes } from "../Processes.ts"
import * as ProcessTable from "../processTable.ts"

/** A terminated owner closes its agent first, which takes 1.5 s for Claude. The sweep ends what is left after this. */
const exitWithinMillis = 2_500

const pollMillis = 50

/** Matches the owner's command line. */
export const isOwner = /__queue-owner/

const owners = (processes: Processes["Service"], lease: LeaseId) =>
  Effect.map(processes.tree(lease), (tree) => tree.filter(({ command }) => isOwner.test(command)))

/** Ends the agent and its commands, too. acpx's record stays, and the next prompt resumes from it. */
export const end = (processes: Processes["Service"], lease: LeaseId) =>
  Effect.gen(function* () {
    for (const { pid } of yield* owners(processes, lease)) ProcessTable.send(pid, "SIGTERM")
    for (let waited = 0; waited < exitWithinMillis; waited += pollMillis) {
      if ((yield* owners(processes, lease)).length === 0) return
      yield* kernelSleep(pollMillis)
    }
  })
