/** Sessions that do not move, each for another reason, with real processes: `staged` brings them about. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { makeWorkspace } from "../../cli/program.ts"
import { adminToken, startTroupe, until } from "../harness.ts"
import type { RunningTroupe } from "../harness.ts"

export interface Scene {
  readonly name: string
  readonly session: string
  /** What a person who has never seen it must find in the sentence about the session, and in its row of the list. */
  readonly sentence: RegExp
  readonly row: RegExp
}

export interface Staged {
  readonly troupe: RunningTroupe
  readonly scenes: ReadonlyArray<Scene>
  readonly leave: () => Promise<void>
}

const agentCommand = (how: string) => ({
  protocol: "acp",
  command: [process.execPath, join(import.meta.dirname, "agent.ts"), how]
})
const agents = {
  deaf: agentCommand("deaf"),
  busy: agentCommand("busy"),
  silent: agentCommand("silent"),
  broken: { protocol: "acp", command: [process.execPath, "-e", "throw new Error('no token in the keyring')"] },
  flaky: { protocol: "acp", command: [process.execPath, "-e", "throw new Error('the port is taken')"] }
}

/** So many scenes hold a process when the turn is queued that gets none. */
const slots = 6

/** The server is stopped in the middle, and comes back. */
export const stage = async (): Promise<Staged> => {
  const workspace = makeWorkspace()
  writeFileSync(join(workspace.cwd, "troupe.config.json"), JSON.stringify({ agents }))
  const troupe = await startTroupe(
    { TROUPE_MAX_PROCESSES: `${slots}`, TROUPE_POOL_WAIT: "30 minutes", TROUPE_WARM_SPARES: "0" },
    workspace
  )
  const app = await troupe.mint("desk")
  const detail = async (id: string) => (await troupe.call("GET", `/inspect/api/sessions/${id}`, adminToken)).json
  const create = (agent = "demo") => troupe.create(app, { agent, permissions: "approve_all" })
  const reach = (id: string, substate: RegExp) =>
    until(
      () => detail(id),
      ({ session }) => substate.test(session.substate)
    )
  const running = (id: string) =>
    until(
      () => detail(id),
      (it) => it.session.substate === "turning.running" && it.process.pid !== null
    )
  const begun = async (prompt: string, agent?: string) => {
    const id = await create(agent)
    await troupe.begin(app, id, prompt)
    return id
  }
  const crash = async (times: number) => {
    const id = await create()
    await troupe.turn(app, id, "hello")
    for (let i = 0; i < times; i++) {
      await troupe.turn(app, id, "crash 3")
      await reach(id, /^idle/)
    }
    return id
  }

  const restarted = await begun("hang")
  await running(restarted)
  troupe.program().kill("SIGKILL")
  await new Promise((resolve) => troupe.program().once("exit", resolve))
  await troupe.start()
  await reach(restarted, /^idle/)

  const dead = await create("flaky")
  await troupe.turn(app, dead, "hello")
  const quota = await create()
  await troupe.turn(app, quota, "fail quota")
  const crashLoop = await crash(4)
  const crashOnce = await crash(1)
  const asleepAgain = await crash(1)
  await troupe.turn(app, asleepAgain, "hello")

  // Late and looked at first: it is half a minute. A session is parked after four starts that failed, an agent's are enough after five.
  const openCircuit = await create("broken")
  for (const id of [await create("broken"), await create("broken")])
    for (let i = 0; i < 3; i++) await troupe.turn(app, id, "hello")

  const hung = await begun("hang")
  const silent = await begun("hello", "silent")
  const tool = await begun("tool sleep 900")
  const stopped = await begun("hang")
  const busy = await begun("compute", "busy")
  for (const id of [hung, silent, tool, stopped, busy]) await running(id)
  process.kill((await detail(stopped)).process.pid, "SIGSTOP")
  const deaf = await begun("hello", "deaf")
  await reach(deaf, /starting/)
  const queued = await begun("hello")

  const scene = (name: string, session: string, sentence: RegExp, row: RegExp): Scene => ({
    name,
    session,
    sentence,
    row
  })
  return {
    troupe,
    scenes: [
      scene("open circuit", openCircuit, /not started for another .+no token in the keyring/, /not started for/),
      scene("hung", hung, /end of turn 1.*last heard .+ ago/, /the end of turn 1/),
      scene(
        "silent after a tool",
        silent,
        /end of turn 1.*If it stays silent it is asked for a sign of life/,
        /the end of turn 1/
      ),
      scene("long tool", tool, /`sleep 900` has run for/, /sleep 900.*runs for/),
      scene(
        "deaf at start",
        deaf,
        /its agent to get ready.*said nothing yet.*it is ended in/,
        /its agent to get ready/
      ),
      scene("dead at start", dead, /the port is taken.*Turn 1 failed .+ ago/, /the port is taken/),
      scene("crash loop", crashLoop, /exit code 3/, /failed/),
      scene("crashed once", crashOnce, /Turn 2 failed .+ago.*exit code 3/, /turn 2 failed/),
      scene("crashed before, well since", asleepAgain, /Turn 3 was completed/, /a turn/),
      scene("quota", quota, /quota/, /quota/),
      scene("queued", queued, /number 1 of 1 in line.*6 slots are held by/, /number 1 of 1 in line/),
      scene("stopped", stopped, /is stopped \(state T/, /the end of turn 1/),
      scene("busy loop", busy, /uses .+ of a processor/, /the end of turn 1/),
      scene("Troupe restarted", restarted, /Turn 1 failed .+ago.*outcome_unknown/, /turn 1 failed/)
    ],
    leave: async () => {
      try {
        process.kill((await detail(stopped)).process.pid, "SIGCONT")
      } finally {
        await troupe.leave()
      }
    }
  }
}
