/** The terminal of a chat as it is drawn: output, and below it the prompt for a line or for a key. */
import { clearScreenDown, cursorTo, moveCursor } from "node:readline"
import { paint } from "../terminal.ts"
import type { Expected } from "./Console.ts"
import { makeLineEditor } from "./lineEditor.ts"

const hasOwnPrompt = ({ _tag }: Expected) => _tag === "Key" || _tag === "Answer"

const laterPrompt = () => paint("dim", "next › ")

export type TtyDisplay = ReturnType<typeof makeDisplay>

export const makeDisplay = () => {
  const { stdout } = process
  let expected: Expected = { _tag: "Turn" }
  /** The prompt that is shown. `later`: for a line that is typed while a turn runs; `answer`: for that to a question. */
  let prompted: "line" | "later" | "answer" | "key" | null = null
  let atLineStart = true
  /** A prompt was shown in the middle of a line of output, which may still be ended by its writer. */
  let isCut = false
  /** The last line of the output above a prompt, which may still be continued. */
  let partialLine = ""
  /** What is typed at the prompt is not shown. */
  let wasSecret = false

  const isEditing = () => prompted === "line" || prompted === "later" || prompted === "answer"
  const isSecret = () => prompted === "answer" && expected._tag === "Answer" && expected.isSecret
  const editor = makeLineEditor(isEditing, isSecret)
  const { readline } = editor

  const put = (text: string) => {
    if (text === "") return
    stdout.write(text)
    atLineStart = text.endsWith("\n")
  }
  const beginLine = () => {
    isCut ||= !atLineStart
    put(atLineStart ? "" : "\n")
  }
  const edit = (as: "line" | "later" | "answer", prompt: string) => {
    beginLine()
    prompted = as
    editor.draw(prompt)
  }
  /** Ends the prompt, below which the output goes on. */
  const hide = () => {
    prompted = null
    atLineStart = true
    put(partialLine)
    partialLine = ""
  }
  const erase = () => {
    if (prompted !== "key") moveCursor(stdout, 0, -readline.getCursorPos().rows)
    cursorTo(stdout, 0)
    clearScreenDown(stdout)
  }
  /** Removes the prompt from the screen while `write` runs. */
  const above = (write: () => void) => {
    erase()
    write()
    if (prompted === "key") stdout.write(expected._tag === "Key" ? expected.prompt : "")
    else editor.draw(readline.getPrompt())
  }

  /** The question is not asked any more: what was typed so far is a line for later, unless nobody may see it. */
  const takeBack = () => {
    const isShown = readline.line !== "" && !wasSecret
    if (!isShown) editor.clearLine()
    erase()
    hide()
    if (isShown) edit("later", laterPrompt())
    show()
  }

  /** Shows the prompt for the expected input, unless a line is being typed. */
  const show = () => {
    if (prompted === "answer" && expected._tag !== "Answer") return takeBack()
    if (expected._tag === "Line" && isEditing()) {
      const { prompt } = expected
      prompted = "line"
      return above(() => readline.setPrompt(prompt))
    }
    // Several lines may arrive at once: an empty prompt is replaced.
    if (isEditing() && readline.line === "" && (prompted === "line" || hasOwnPrompt(expected))) {
      erase()
      hide()
    }
    if (prompted !== null) return
    if (expected._tag === "Line") edit("line", expected.prompt)
    if (expected._tag === "Answer") edit("answer", expected.prompt)
    if (expected._tag === "Key") {
      beginLine()
      prompted = "key"
      stdout.write(expected.prompt)
    }
  }

  return {
    editor,
    isEditing,
    prompted: () => prompted,
    expected: () => expected,
    show,
    hide,
    /** Writes output, above the prompt where one is shown. */
    write: (output: string) => {
      const text = isCut && output.startsWith("\n") ? output.slice(1) : output
      isCut &&= output === ""
      if (prompted === null) return put(text)
      partialLine += text
      const end = partialLine.lastIndexOf("\n") + 1
      if (end === 0) return
      above(() => void stdout.write(partialLine.slice(0, end)))
      partialLine = partialLine.slice(end)
    },
    expect: (input: Expected) => {
      wasSecret = isSecret()
      const isOther = prompted === "answer" && input._tag === "Answer" && input.prompt !== readline.getPrompt()
      expected = input
      if (isOther) above(() => readline.setPrompt(input.prompt))
      show()
    },
    /** Opens a prompt for the next line while a turn runs, with the keys that were typed. */
    editLater: (keys: string) => {
      edit("later", laterPrompt())
      editor.type(keys)
    },
    /** Ends the row of the prompt with a text, and the prompt. */
    endRow: (text: string) => {
      stdout.write(`${text}\n`)
      hide()
    },
    close: () => {
      if (prompted !== null) stdout.write("\n")
      prompted = null
      readline.close()
    }
  }
}
