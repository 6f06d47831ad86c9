/** `node test/browser/pictures.ts`: the pictures of docs/images that show the dashboard, of real sessions of the demo agent. */
import { mkdirSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import process from "node:process"
import { setTimeout as delay } from "node:timers/promises"
import { main } from "../builtProgram.ts"
import { makeWorkspace } from "../cli/program.ts"
import { adminToken, startTroupe, until } from "./harness.ts"

const images = join(import.meta.dirname, "..", "..", "docs", "images")
/** Short, since the pictures show it. */
const cwd = join(tmpdir(), "shop")
mkdirSync(cwd, { recursive: true })

const demo = { protocol: "acp", command: [process.execPath, join(dirname(main), "demo", "main.js")] }
const workspace = makeWorkspace()
writeFileSync(join(workspace.cwd, "troupe.config.json"), JSON.stringify({ agents: { coder: demo, triage: demo } }))
const troupe = await startTroupe(
  {
    TROUPE_MAX_PROCESSES: "4",
    TROUPE_WARM_SPARES: "0",
    TROUPE_ATTENTION_ASKED: "5 seconds",
    TROUPE_ATTENTION_QUEUED: "5 seconds",
    TROUPE_ATTENTION_SILENT: "15 seconds"
  },
  workspace
)

const detail = async (id: string) => (await troupe.call("GET", `/inspect/api/sessions/${id}`, adminToken)).json
const reach = (id: string, substate: RegExp) =>
  until(
    () => detail(id),
    ({ process: { pid }, session }) =>
      substate.test(session.substate) && (pid !== null || !/running/.test(session.substate))
  )

let stopped: number | undefined
try {
  const [desk, mail] = [await troupe.mint("desk"), await troupe.mint("mail")]
  const create = (app: string, agent: string, title: string, permissions = "approve_all") =>
    troupe.create(app, { agent, permissions, cwd, meta: { title } })

  const closed = await create(mail, "triage", "Sort the mail of Monday")
  await troupe.turn(mail, closed, "hello")
  await troupe.call("DELETE", `/sessions/${closed}`, mail)

  const parked = await create(mail, "triage", "Answer the open tickets")
  await troupe.turn(mail, parked, "fail quota")

  const failed = await create(desk, "coder", "Update the dependencies")
  await troupe.turn(desk, failed, "hello")
  await troupe.turn(desk, failed, "crash 3")
  await reach(failed, /^idle/)

  const hung = await create(desk, "coder", "Find the slow test")
  await troupe.begin(desk, hung, "hang")
  stopped = (await reach(hung, /running/)).process.pid as number
  process.kill(stopped, "SIGSTOP")

  const working = await create(desk, "coder", "Write the release notes")
  await troupe.begin(desk, working, "tool sleep 900")
  await reach(working, /running/)

  const asking = await create(desk, "coder", "Mend the build", "ask")
  await troupe.turn(desk, asking, "hello")
  await troupe.turn(desk, asking, "slow 20 40")
  await troupe.begin(desk, asking, "ask-tool rm -rf build && npm test")
  await reach(asking, /asking/)

  for (const title of ["Review the login page", "Look through the logs"]) {
    const id = await create(mail, "triage", title)
    await troupe.begin(mail, id, "hang")
    await delay(500)
  }

  // Its silence is long enough to be named.
  await delay(20_000)
  const shoot = async (name: string, at: string, seen: string, height: number) => {
    const page = await troupe.visit({ token: adminToken, width: 1280, height, at })
    await page.locator(seen).first().waitFor()
    // Verdicts and the first count come half a second later.
    await delay(2_500)
    await page.screenshot({ path: join(images, `${name}.png`) })
    await page.context().close()
  }
  await shoot("attention", "#/", ".attention-row", 520)
  await shoot("sessions", "#/sessions", "[data-session]", 520)
  await shoot("session", `#/sessions/${asking}?tab=approvals`, ".why-sentence", 800)
  await shoot("stopped", `#/sessions/${hung}`, ".why-verdict", 700)
} finally {
  if (stopped !== undefined) process.kill(stopped, "SIGCONT")
  await troupe.leave()
}
