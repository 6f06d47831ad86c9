/** `troupe top` with an agent that asks what the person wants: shown with its fields, answered elsewhere, declined here. */
import { assert, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { openScripted } from "../services/scriptedTroupe.ts"
import { makeWorkspace } from "./program.ts"
import { hasPython, openTerminal } from "./terminal.ts"

it.skipIf(!hasPython)("a question is shown with its fields, is not answered by a key, and is declined", async () => {
  const scope = Scope.makeUnsafe()
  const workspace = makeWorkspace()
  const troupe = await Effect.runPromise(Scope.provide(openScripted, scope))
  const { id } = await Effect.runPromise(troupe.asking())
  const env = { TROUPE_URL: troupe.base, TROUPE_TOKEN: troupe.token }
  const terminal = openTerminal(["top"], { columns: 80, rows: 24, cwd: workspace.cwd, env })
  try {
    await terminal.shows(/ 1 ask \(a\)/)
    terminal.keys("a")
    await terminal.shows(/Choose one with/)
    terminal.keys("j")
    await terminal.shows(
      /What do you want\?[^]*in troupe chat or over HTTP[^]*Which colour\? \(choice\) Of the button\.[^]*· Blue/
    )
    terminal.keys("o")
    await terminal.shows(/Answer it in the dashboard[^]*Answer it in the dashboard/)
    terminal.keys("d")
    await terminal.shows(/Nothing waits for an answer/)
    assert.strictEqual(await Effect.runPromise(troupe.said(id)), "declined")
  } finally {
    await terminal.leave()
    await workspace.cleanUp()
    await Effect.runPromise(Scope.close(scope, Exit.void))
  }
})
