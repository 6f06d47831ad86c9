/** What apps do again and again, so that some session is in each state at any time. */
import { existsSync } from "node:fs"
import { setTimeout as pause } from "node:timers/promises"
import type { Dice } from "../../simulation/random.ts"
import { submitTurn } from "../../torture/clients.ts"
import type { App, Door } from "../../torture/clients.ts"

export interface Habit {
  /** The state that it is for. */
  readonly state: string
  readonly agent: string
  /** How its prompts begin: the agent does what the word says. Several take turns. */
  readonly prompts: ReadonlyArray<string>
  /** What is asked while the turn runs, after so many milliseconds. */
  readonly meanwhile?: { readonly ask: "interrupt" | "answer" | "unpark"; readonly after: number }
  /** Between two turns, in milliseconds. */
  readonly rest: number
}

/** `turning.queued` is where all of them are at times: there are fewer slots than sessions. */
export const habits: ReadonlyArray<Habit> = [
  { state: "idle.asleep", agent: "tortured", prompts: ["turn"], rest: 6_000 },
  { state: "idle.awake", agent: "tortured", prompts: ["turn"], rest: 300 },
  { state: "turning.starting", agent: "slow", prompts: ["turn"], rest: 4_000 },
  {
    state: "turning.running",
    agent: "tortured",
    prompts: ["talk", "hang"],
    meanwhile: { ask: "interrupt", after: 6_000 },
    rest: 300
  },
  {
    state: "turning.asking",
    agent: "tortured",
    prompts: ["ask"],
    meanwhile: { ask: "answer", after: 2_000 },
    rest: 300
  },
  {
    state: "turning.interrupting",
    agent: "tortured",
    prompts: ["deaf"],
    meanwhile: { ask: "interrupt", after: 1_500 },
    rest: 500
  },
  { state: "retiring.asking", agent: "stubborn", prompts: ["turn"], rest: 4_000 },
  { state: "turning.queued", agent: "tortured", prompts: ["turn"], rest: 0 },
  { state: "idle.parked", agent: "tortured", prompts: ["dies"], meanwhile: { ask: "unpark", after: 3_000 }, rest: 200 },
  { state: "idle.backingOff", agent: "tortured", prompts: ["dies", "turn"], rest: 1_000 }
]

export interface AdminDoor extends Door {
  readonly asAdmin: (method: string, path: string) => Promise<string | null>
  /** The process of the agent that has the prompt; `null`: none has it. */
  readonly taker: (prompt: string) => number | null
}

const isAlive = (pid: number) => existsSync(`/proc/${pid}`)

/** What an agent says is read within this, also where the database was away for half a minute. */
const readWithinMillis = 50_000

/**
 * Its words must come while it runs: nothing else happens in the session that would have it read again. Where it has ended,
 * as with its node, what it said may be lost with it; the turn has an outcome then, and it is looked for elsewhere.
 */
const readsWords = async (door: AdminDoor, app: App, prompt: string, isOver: () => boolean): Promise<void> => {
  const has = () => app.text.includes(`of ${prompt.split(" ")[1]} `)
  let taker: number | null = null
  let takenAt = Infinity
  while (!isOver() && !has()) {
    if (taker === null) {
      taker = door.taker(prompt)
      if (taker !== null) takenAt = Date.now()
    } else if (!isAlive(taker)) return
    if (Date.now() - takenAt > readWithinMillis) {
      app.faults.push(`what "${prompt}" had the agent say did not reach its reader`)
      return
    }
    await pause(200)
  }
}

const ask = async (door: AdminDoor, { session }: App, what: "interrupt" | "answer" | "unpark") => {
  if (what === "interrupt") return void (await door.call("POST", `/sessions/${session}/interrupt`))
  if (what === "unpark") return void (await door.asAdmin("POST", `/admin/sessions/${session}/unpark`))
  const asked = await door.call("GET", `/sessions/${session}/approvals`)
  const approvals: ReadonlyArray<{ readonly approval_id: string; readonly status: string }> =
    asked?.json.approvals ?? []
  for (const { approval_id: id, status } of approvals) {
    if (status === "pending") await door.call("POST", `/sessions/${session}/approvals/${id}`, { decision: "once" })
  }
}

/** Submits turns until the time is over, and the last one until it has an answer. Prompts have numbers of their own. */
export const live = async (
  door: AdminDoor,
  app: App,
  habit: Habit,
  nth: number,
  dice: Dice,
  until: () => number
): Promise<void> => {
  const giveUpAt = () => until() + 120_000
  for (let count = 0; Date.now() < until(); count++) {
    const prompt = `${habit.prompts[count % habit.prompts.length]} ${nth * 100_000 + count}`
    const at = { isOver: false }
    const turn = submitTurn(door, app, `${nth}-${count}`, prompt, giveUpAt).finally(() => (at.isOver = true))
    const { meanwhile } = habit
    if (meanwhile !== undefined) {
      if (meanwhile.ask === "interrupt") await readsWords(door, app, prompt, () => at.isOver)
      // Again and again: what is asked can get lost, or come before what it is for.
      while (!at.isOver && Date.now() < giveUpAt()) {
        await Promise.race([turn, pause(meanwhile.after)])
        if (!at.isOver) await ask(door, app, meanwhile.ask)
      }
    }
    await turn
    await pause(habit.rest === 0 ? 0 : dice.between(habit.rest / 2, habit.rest * 2))
  }
}
