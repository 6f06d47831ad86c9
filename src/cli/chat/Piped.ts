/** A console without a terminal: lines come from stdin, answers to approvals too, and stdin is paused while many wait. */
import { StringDecoder } from "node:string_decoder"
import type { Console, OnInput } from "./Console.ts"

/** Unprocessed lines; at this many stdin is paused. */
const linesAhead = 64
const longestLine = 1024 * 1024

export const make = (onInput: OnInput): Console => {
  const { stdin, stdout } = process
  const decoder = new StringDecoder("utf8")
  let rest = ""
  let waiting = 0
  let atLineStart = true
  let isPrompting = false

  const write = (text: string) => {
    if (text === "") return
    stdout.write(text)
    atLineStart = text.endsWith("\n")
  }

  const line = (text: string) => {
    waiting += 1
    onInput({ _tag: "Line", text, echoed: false })
  }
  const onData = (chunk: Buffer) => {
    const lines = (rest + decoder.write(chunk)).split(/\r?\n/)
    rest = lines.pop() ?? ""
    for (const text of lines) line(text)
    if (rest.length > longestLine) {
      onInput({ _tag: "Broken", problem: `A line of stdin is longer than ${longestLine} characters. Break it up.` })
    }
    if (waiting >= linesAhead || rest.length > longestLine) stdin.pause()
  }
  const onEnd = () => {
    if (rest !== "") line(rest)
    rest = ""
    onInput({ _tag: "End" })
  }
  const onError = (cause: Error) => onInput({ _tag: "Broken", problem: `stdin can't be read: ${cause.message}.` })
  stdin.on("data", onData).once("end", onEnd).once("error", onError)

  return {
    interactive: false,
    write,
    expect: (input) => {
      const hasPrompt = input._tag === "Key" || input._tag === "Answer"
      if (hasPrompt && !isPrompting) write(`${atLineStart ? "" : "\n"}${input.prompt}`)
      isPrompting = hasPrompt
    },
    answered: (text) => {
      if (isPrompting) write(`${text}\n`)
      isPrompting = false
    },
    used: (lines) => {
      waiting -= lines
      if (waiting < linesAhead && rest.length <= longestLine) stdin.resume()
    },
    close: () => {
      stdin.off("data", onData).off("end", onEnd).off("error", onError).pause()
    }
  }
}
