/** `troupe chat` with an agent that asks what the person wants: field by field, from a pipe and at a terminal. */
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { fieldAnswer } from "../../src/cli/chat/fieldAnswer.ts"
import { askedFields } from "../services/AgentScript.ts"
import { openScripted } from "../services/scriptedTroupe.ts"
import { startChat } from "./chat.ts"
import { hasTerminals, makeWorkspace } from "./program.ts"
import type { Stdin, Workspace } from "./program.ts"

let workspace: Workspace
let troupe: Effect.Success<typeof openScripted>
let scope: Scope.Closeable
beforeEach(async () => {
  workspace = makeWorkspace()
  scope = Scope.makeUnsafe()
  troupe = await Effect.runPromise(Scope.provide(openScripted, scope))
})
afterEach(async () => {
  await workspace.cleanUp()
  await Effect.runPromise(Scope.close(scope, Exit.void))
})

const chat = (stdin: Stdin) => startChat(workspace, stdin, ["--url", troupe.base], { TROUPE_TOKEN: troupe.token })

describe("troupe chat with questions", () => {
  it("asks for each field in turn, takes options by number and skips what is optional", async () => {
    const program = chat("pipe")
    program.write("question\n\n2\nmany\n3\ny\n1, large\nhunter2\n")
    await program.printsNext(
      /^\? question: What do you want\?\n {2}\/decline answers none of it, .*no answer within 5 min/m
    )
    await program.printsNext(
      /1\/5 Which colour\? Of the button\.\n {4}1 Red As fire\.\n {4}2 Blue\n {4}or anything else\n/
    )
    await program.printsNext(
      /its number › \n {2}It takes one of "red", "blue", or another text\.\n {2}its number › 2\n/
    )
    await program.printsNext(
      /2\/5 How many\? \(empty skips it\)\n {2}a number › many\n {2}It takes a number\.\n {2}a number › 3\n/
    )
    await program.printsNext(/3\/5 Sure\?[^]*y or n › y\n[^]*numbers, as 1, 2 › 1, large\n[^]*not shown › •••\n/)
    const answers = { colour: "blue", count: 3, sure: true, sizes: ["s", "l"], token: "hunter2" }
    assert.deepStrictEqual(JSON.parse((await program.printsNext(/^(\{"colour".*\})$/m))[1]!), answers)
    program.write("question\nmauve\n\n\n\n\n")
    await program.printsNext(/^\{"colour":"mauve"\}$/m)
    program.child.stdin?.end()
    assert.strictEqual((await program.ended).code, 0)
  })

  it("declines by a command, and where stdin has ended", async () => {
    const program = chat("pipe")
    program.child.stdin?.end("question\n/details\n2\n/decline\nquestion\n1\n")
    const { code, stdout } = await program.ended
    assert.strictEqual(code, 0)
    assert.match(stdout, /› \/details\n[^]*"fields"[^]*its number › 2\n[^]*a number › declined\ndeclined\n/)
    assert.match(stdout, /its number › 1\n[^]*a number › declined\ndeclined\n/)
  })

  it("asks a question after a permission and keeps their answers apart", async () => {
    const program = chat("pipe")
    program.child.stdin?.end("approvals edit\ny\nquestion\n1\n\n\n\n\n")
    assert.match((await program.ended).stdout, /› yes, once\nonce\n[^]*its number › 1\n[^]*\{"colour":"red"\}/)
  })

  it.skipIf(!hasTerminals)("takes lines at a terminal, empty ones too, and does not show what is secret", async () => {
    const program = chat("terminal")
    program.write("question\r")
    await program.printsNext(/its number › /)
    program.write("1\r")
    await program.printsNext(/a number › /)
    program.write("\r")
    await program.printsNext(/y or n › /)
    program.write("n\r")
    await program.printsNext(/numbers, as 1, 2 › /)
    program.write("\r")
    await program.printsNext(/not shown › /)
    program.write("hunter3\u007f2\r")
    await program.printsNext(/"sure":false,"token":"hunter2"\}/)
    assert.notInclude(program.stdout().slice(0, program.stdout().indexOf('{"colour"')), "hunter")
    program.write("question\r")
    await program.printsNext(/its number › /)
    program.write("half\u0003\u0003")
    await program.printsNext(/It is not asked any more\.[^]*— interrupted/)
    program.write("\u0004")
    const { code, stdout, stderr } = await program.ended
    assert.strictEqual(code, 0, `${stdout}\n${stderr}`)
  })
})

it("a line answers a field by number, label or value, and says what the field takes otherwise", () => {
  const [colour, count, sure, sizes] = askedFields
  const of = (field: (typeof askedFields)[number] | undefined, line: string) => {
    const given = fieldAnswer(field!, line)
    return given._tag === "Answer" ? given.value : given._tag === "Unfit" ? given.problem : null
  }
  assert.deepStrictEqual(
    ["2", "Blue", "blue", "3", " /decline"].map((line) => of(colour, line)),
    ["blue", "blue", "blue", "3", "/decline"]
  )
  assert.deepStrictEqual([of(count, " 2.5 "), of(count, ""), of(count, "x")], [2.5, null, "It takes a number."])
  assert.deepStrictEqual([of(sure, "Yes"), of(sure, "n"), of(sure, "maybe")], [true, false, "It takes y or n."])
  assert.deepStrictEqual([of(sizes, "1 2"), of(sizes, "l,s, l"), of(sizes, "")], [["s", "l"], ["l", "s"], null])
  assert.strictEqual(of(sizes, "3"), "It takes a number from 1 to 2. Several are separated by commas.")
})
