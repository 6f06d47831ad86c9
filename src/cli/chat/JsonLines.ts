/**
 * A chat of a program's: a line of JSON on stdout for each event of the session, and for each session that the chat is in; on
 * stderr one for each remark and each problem. Lines of stdin are turns and answers, as without a terminal.
 */
import { stripVTControlCharacters } from "node:util"
import type { Console, JsonLines, OnInput } from "./Console.ts"
import * as Piped from "./Piped.ts"

const write = (stream: NodeJS.WriteStream, value: unknown) => void stream.write(`${JSON.stringify(value)}\n`)

const plain = (text: string) => stripVTControlCharacters(text).trim()

const lines: JsonLines = {
  opened: ({ agent, id }) => write(process.stdout, { session_id: id, agent }),
  event: (message) => write(process.stdout, message),
  remark: (text) => write(process.stderr, { remark: plain(text) }),
  problem: (text) => write(process.stderr, { problem: plain(text) })
}

/** What is written for people is in the events as well. */
export const make = (onInput: OnInput): Console => ({
  ...Piped.make(onInput),
  write: () => {},
  expect: () => {},
  answered: () => {},
  json: lines
})
