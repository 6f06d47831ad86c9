/** One client at this program's stdin and stdout: lines of JSON, as editors start agents. */
import { Readable, Writable } from "node:stream"
import { TroupeError } from "../../backend/TroupeError.ts"
import { makeAgent } from "./agent.ts"
import type { ConnectionOptions } from "./agent.ts"
import { loadSdk } from "./sdk.ts"

export interface StdioOptions extends ConnectionOptions {
  readonly input: Readable
  readonly output: Writable
  /** Of one line: a longer one ends the connection. */
  readonly maxMessageBytes: number
  /** Aborted where this program is to end. */
  readonly signal: AbortSignal
}

/** Returns when the client is gone; rejects where it sent what can't be read. */
export const serveStdio = async ({
  input,
  maxMessageBytes,
  output,
  signal,
  ...options
}: StdioOptions): Promise<void> => {
  const sdk = await loadSdk()
  const stream = sdk.ndJsonStream(Writable.toWeb(output), Readable.toWeb(input) as ReadableStream<Uint8Array>, {
    maxMessageBytes
  })
  const connection = makeAgent(sdk, options).connect(stream)
  const end = () => connection.close()
  if (signal.aborted) end()
  signal.addEventListener("abort", end, { once: true })
  await connection.closed
  if (!(connection.signal.reason instanceof sdk.MessageTooLargeError)) return
  const message = `The client sent a message of more than ${maxMessageBytes / 1024 ** 2} MiB, which ended the connection. Its sessions go on: send less at once, such as a link to a file.`
  throw new TroupeError({ code: "body_too_large", status: 413, message })
}
