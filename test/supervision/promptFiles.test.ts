/** Files that a prompt names: found by the form of their paths, and named by others. */
import { assert, describe, it } from "@effect/vitest"
import { promptOfTurn } from "../../src/domain/Turn.ts"
import { filesIn, withPathsHere } from "../../src/supervision/promptFiles.ts"

const id = (nth: number) => `file_${String(nth).padStart(32, "0")}`
const there = (nth: number, name: string) => `/one/data/files/app/${id(nth)}/${name}`
const here = (nth: number, name: string) => `/other/files/app/${id(nth)}/${name}`

describe("the files of a prompt", () => {
  it("are the lines that are their paths, and its images", () => {
    const found = filesIn([
      { type: "text", text: `${there(1, "a b.txt")}\n${there(2, "b.txt")}\n\nSee ${there(3, "c.txt")}` },
      { type: "image", mimeType: "image/png", path: there(4, "d.png") },
      { type: "text", text: `/etc/file_1\n/files/app/file_1/x\n${there(5, "e/f")}\nfiles/app/${id(6)}/g` },
      { type: "resource_link", uri: there(7, "h"), name: "h" }
    ])
    assert.deepStrictEqual(
      [...found],
      [
        [there(1, "a b.txt"), id(1)],
        [there(2, "b.txt"), id(2)],
        [there(4, "d.png"), id(4)]
      ]
    )
  })

  it("are named by other paths in its text and its blocks, behind the conversation that it is given too", () => {
    const prompt = promptOfTurn({
      prompt: `${there(1, "a.txt")}\n\nRead it.`,
      content: [
        { type: "text", text: `${there(1, "a.txt")}\n\nRead it.` },
        { type: "image", mimeType: "image/png", path: there(2, "b.png") },
        { type: "image", mimeType: "image/png", path: "/elsewhere.png" }
      ],
      settings: {},
      givenContext: "Before."
    })
    assert.strictEqual(filesIn(prompt.blocks).size, 2)
    const paths = new Map([
      [there(1, "a.txt"), here(1, "a.txt")],
      [there(2, "b.png"), here(2, "b.png")]
    ])
    assert.deepStrictEqual(withPathsHere(prompt, paths), {
      text: `Before.\n\n${here(1, "a.txt")}\n\nRead it.`,
      blocks: [
        { type: "text", text: "Before.\n\n" },
        { type: "text", text: `${here(1, "a.txt")}\n\nRead it.` },
        { type: "image", mimeType: "image/png", path: here(2, "b.png") },
        { type: "image", mimeType: "image/png", path: "/elsewhere.png" }
      ],
      settings: {}
    })
  })
})
