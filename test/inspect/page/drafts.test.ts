/** What a person has typed into the form of a question becomes its answers. */
import { assert, describe, it } from "@effect/vitest"
import { answersOf, emptyDraft, refusedField, withChosen } from "../../../src/inspect/page/approvals/drafts.ts"
import { askedFields as fields } from "../../services/AgentScript.ts"

const [colour, , , sizes] = fields

describe("the drafts of a question's form", () => {
  it("have no answers where nothing was typed, and an unchecked box is one only where it is required", () => {
    assert.deepStrictEqual(answersOf(fields, {}), {})
    assert.deepStrictEqual(answersOf([{ id: "b", label: "", type: "boolean", required: true }], {}), { b: false })
  })

  it("become a number, a boolean, an option or several, and what is no option", () => {
    const drafts = {
      colour: { ...emptyDraft, isOther: true, other: "green" },
      count: { ...emptyDraft, text: " 2.5 " },
      sure: { ...emptyDraft, isChecked: false },
      sizes: withChosen(sizes!, withChosen(sizes!, emptyDraft, "l", true), "s", true),
      token: { ...emptyDraft, text: "hunter2" }
    }
    const answers = { colour: "green", count: 2.5, sure: false, sizes: ["s", "l"], token: "hunter2" }
    assert.deepStrictEqual(answersOf(fields, drafts), answers)
    assert.deepStrictEqual(withChosen(sizes!, drafts.sizes, "s", false).chosen, ["l"])
    assert.deepStrictEqual(answersOf([colour!], { colour: { ...emptyDraft, chosen: ["red"] } }), { colour: "red" })
  })

  it("keep a text that is no number, for the server to refuse by the field's label", () => {
    assert.deepStrictEqual(answersOf(fields, { count: { ...emptyDraft, text: "two" } }), { count: "two" })
    assert.deepStrictEqual(refusedField(fields, "answers.count must be a number."), {
      id: "count",
      text: "“How many?” must be a number."
    })
    assert.deepStrictEqual(refusedField(fields, "answers may have …"), { id: null, text: "answers may have …" })
  })
})
