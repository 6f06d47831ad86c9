/**
 * Bugs that a cluster must be seen to have by its history, and the faults that bring each of them out. Those that the
 * simulation finds too are its own (`test/simulation/plants.ts`): here they are in the real program.
 */
import { plants as simulated } from "../../simulation/plants.ts"
import type { Plant } from "../../simulation/plants.ts"
import type { FaultName } from "./faults.ts"

export interface ClusterPlant {
  readonly plant: Plant
  readonly faults: ReadonlyArray<FaultName>
  /** What the checker says of it. */
  readonly seen: RegExp
}

const ofSimulation = (name: string): Plant => {
  const plant = simulated.find((one) => one.name === name)
  if (plant === undefined) throw new Error(`there is no plant "${name}"`)
  return plant
}

export const clusterPlants: ReadonlyArray<ClusterPlant> = [
  {
    plant: ofSimulation("what an agent says is stored whoever owns its session"),
    faults: ["stopForMore", "stopForMore", "lockASession", "stopForMore"],
    seen: /^events \d+ of .* was written by|died of a defect/
  },
  {
    plant: ofSimulation("the owner is looked at before the commit, and not in it"),
    faults: ["lockASession", "lockASession", "lockASession"],
    seen: /^\w+ \d+ of .* was written by/
  },
  {
    plant: {
      name: "leases are judged by a node's own clock, which is ahead",
      file: "src/runtime/deadNodes.ts",
      replace: [
        ["leaseUntil >= renewedAt)", 'leaseUntil >= renewedAt + (process.env["TROUPE_NODE"] === "second" ? 3_600 : 0))']
      ]
    },
    faults: ["betweenNodes", "restartPostgres", "killOwner"],
    seen: /whose lease was good for \d+ ms$/
  },
  {
    plant: ofSimulation("a commit whose answer was lost is made again"),
    faults: ["loseAnswers", "cutWriters", "loseAnswers", "loseAnswers"],
    seen: /failed of what Troupe itself has left|died of a defect/
  },
  {
    plant: ofSimulation("a process is let go of before it is gone"),
    faults: ["betweenNodes", "cutListeners", "betweenNodes"],
    seen: /had two agents for/
  },
  {
    plant: {
      name: "what was said is announced before it is stored",
      file: "src/session/Journal.ts",
      replace: [
        [
          "      return Effect.map(this.#write([]), (stored) => this.#tell(stored))\n",
          `      if (this.#buffer.waiting === 0) return Effect.asVoid(this.#write([]))
      const { record, seq: step } = this.#state
      const told = { session: record.id, step, event: this.#written + 1, stepped: false, settled: [], closed: false }
      this.#services.news.tell({ ...told, stored: null })
      return Effect.andThen(Effect.sleep("30 millis"), Effect.asVoid(this.#write([])))\n`
        ]
      ]
    },
    faults: ["cutListeners", "betweenNodes", "cutListeners"],
    seen: /did not reach its reader/
  }
]
