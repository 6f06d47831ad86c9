/**
 * Node's readline as the editor of one prompt: keys reach it only when they are typed into it, and it draws only while its
 * prompt is shown.
 */
import { createInterface } from "node:readline"
import { PassThrough, Writable } from "node:stream"

export type LineEditor = ReturnType<typeof makeLineEditor>

/** While `isSecret`, only the prompt and the cursor are drawn, and nothing of the line. */
export const makeLineEditor = (isShown: () => boolean, isSecret: () => boolean) => {
  const { stdin, stdout } = process
  // readline sets and restores raw mode, also when the program is suspended with Ctrl-Z.
  const keyboard = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: (raw: boolean) => void stdin.setRawMode(raw)
  })
  const output = Object.assign(
    new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        if (isShown()) stdout.write(isSecret() ? withoutLine(String(chunk)) : chunk)
        done()
      }
    }),
    { isTTY: true }
  )
  Object.defineProperty(output, "columns", { get: () => stdout.columns })
  const readline = createInterface({
    input: keyboard,
    output: output as unknown as NodeJS.WritableStream,
    terminal: true,
    historySize: 200,
    removeHistoryDuplicates: true
  })
  // A prompt that was on its way when Ctrl-D closed it must not be drawn: readline throws from then on.
  let isClosed = false
  readline.once("close", () => (isClosed = true))
  /** readline writes typed characters, the prompt with the line, and sequences that move the cursor, each in a call. */
  const withoutLine = (text: string) => {
    const prompt = readline.getPrompt()
    if (text.startsWith(prompt)) return prompt
    return ["\u001b", "\r", "\n"].some((start) => text.startsWith(start)) ? text : ""
  }

  return {
    readline,
    /** Draws the prompt and the line on the current row. */
    draw: (prompt: string) => {
      if (isClosed) return
      // readline erases the rows that it drew before, but the prompt is on a new row now.
      Object.assign(readline, { prevRows: 0 })
      readline.setPrompt(prompt)
      readline.prompt(true)
    },
    type: (keys: string) => void keyboard.write(keys),
    /** As in a shell, where Ctrl-C clears the line. */
    clearLine: () => {
      if (isClosed) return
      readline.write(null, { ctrl: true, name: "e" })
      readline.write(null, { ctrl: true, name: "u" })
    },
    resized: () => void output.emit("resize")
  }
}
