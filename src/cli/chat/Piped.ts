/** A console without a terminal: lines come from stdin, also the answers to questions, and none is read too early. */
import { StringDecoder } from "node:string_decoder"
import type { Console, Hear } from "./Console.ts"

/** Lines that may wait; past that stdin waits. */
const linesAhead = 64
const longestLine = 1024 * 1024

export const make = (hear: Hear): Console => {
  const { stdin, stdout } = process
  const decoder = new StringDecoder("utf8")
  let rest = ""
  let waiting = 0
  let atLineStart = true
  let asking = false

  const write = (text: string) => {
    if (text === "") return
    stdout.write(text)
    atLineStart = text.endsWith("\n")
  }

  const line = (text: string) => {
    waiting += 1
    hear({ _tag: "Line", text, seen: false })
  }
  const onData = (chunk: Buffer) => {
    const lines = (rest + decoder.write(chunk)).split(/\r?\n/)
    rest = lines.pop() ?? ""
    for (const text of lines) line(text)
    if (rest.length > longestLine) {
      hear({ _tag: "Broken", problem: `A line of stdin is longer than ${longestLine} characters. Break it up.` })
    }
    if (waiting >= linesAhead || rest.length > longestLine) stdin.pause()
  }
  const onEnd = () => {
    if (rest !== "") line(rest)
    rest = ""
    hear({ _tag: "End" })
  }
  const onError = (cause: Error) => hear({ _tag: "Broken", problem: `stdin can't be read: ${cause.message}.` })
  stdin.on("data", onData).once("end", onEnd).once("error", onError)

  return {
    interactive: false,
    write,
    listen: (to) => {
      if (to._tag === "Key" && !asking) write(`${atLineStart ? "" : "\n"}${to.prompt}`)
      asking = to._tag === "Key"
    },
    answered: (text) => {
      if (asking) write(`${text}\n`)
      asking = false
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
