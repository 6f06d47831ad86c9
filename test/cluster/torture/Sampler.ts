/** Which agents live, looked at in `/proc` many times a second: when each was certainly alive. */
import { readFileSync } from "node:fs"
import { markerOf, pids, stat } from "../../../src/agent/processTable.ts"

export interface Life {
  readonly pid: number
  /** It lived by then, in milliseconds since 1970. */
  readonly from: number
  /** It still lived then. */
  until: number
}

const everyMillis = 100

export class Sampler {
  /** By the lease that it has. */
  readonly lives = new Map<string, Life>()
  samples = 0
  /** What each process is: pids come again, start times tell them apart. `null`: no agent of the run. */
  readonly #known = new Map<string, string | null>()
  readonly #run: string
  readonly #timer: NodeJS.Timeout

  constructor(run: string) {
    this.#run = run
    this.#timer = setInterval(() => this.#look(), everyMillis)
  }

  #look(): void {
    this.samples++
    for (const pid of pids()) {
      const before = Date.now()
      const found = stat(pid)
      if (found === null || found.zombie) continue
      const key = `${pid} ${found.startTime}`
      let lease = this.#known.get(key)
      if (lease === undefined) {
        lease = this.#leaseOf(pid)
        this.#known.set(key, lease)
      }
      if (lease === null) continue
      const life = this.lives.get(lease)
      if (life === undefined) this.lives.set(lease, { pid, from: Date.now(), until: before })
      else life.until = before
    }
  }

  /** Only its agent: what that has started has the marker, too. */
  #leaseOf(pid: number): string | null {
    try {
      if (!readFileSync(`/proc/${pid}/environ`, "latin1").split("\0").includes(`TORTURE_RUN=${this.#run}`)) return null
      if (!readFileSync(`/proc/${pid}/cmdline`, "latin1").includes("agent.mjs")) return null
      return markerOf(pid)
    } catch {
      return null
    }
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
