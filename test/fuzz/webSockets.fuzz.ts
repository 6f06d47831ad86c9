/** WebSocket frames, as bytes: the handshake of `/inspect/stately`, and what a client sends after it. */
import { assert, it } from "@effect/vitest"
import * as fc from "fast-check"
import { connect } from "node:net"
import { adminToken } from "../inspect/harness.ts"
import { anyText } from "./arbitraries.ts"
import { fuzz } from "./fuzz.ts"
import { assertNoDefect, withServer } from "./server.ts"

interface Frame {
  readonly isLast: boolean
  readonly reserved: number
  readonly opcode: number
  readonly isMasked: boolean
  readonly payload: Buffer
  /** What the header says, where it is not the length of the payload. */
  readonly announced: number | null
}

const bytesOf = ({ announced, isLast, isMasked, opcode, payload, reserved }: Frame): Buffer => {
  const length = announced ?? payload.length
  const first = (isLast ? 0x80 : 0) | (reserved << 4) | opcode
  const mask = isMasked ? 0x80 : 0
  const size = Buffer.alloc(length > 65_535 ? 9 : length > 125 ? 3 : 1)
  if (size.length === 1) size[0] = mask | length
  else if (size.length === 3) {
    size[0] = mask | 126
    size.writeUInt16BE(length, 1)
  } else {
    size[0] = mask | 127
    size.writeBigUInt64BE(BigInt(length), 1)
  }
  // With a mask of zeros the payload is as it is.
  return Buffer.concat([Buffer.of(first), size, isMasked ? Buffer.alloc(4) : Buffer.alloc(0), payload])
}

const payload = fc.oneof(
  anyText.map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 140 }).map((bytes) => Buffer.from(bytes)),
  fc.constant(Buffer.from('{"type":"@xstate.event","event":{"type":"x"},"sessionId":"ses_none"}'))
)

const frame: fc.Arbitrary<Frame> = fc.record({
  isLast: fc.boolean(),
  reserved: fc.constantFrom(0, 0, 0, 0, 1, 7),
  opcode: fc.constantFrom(0, 1, 1, 1, 2, 8, 9, 10, 3, 15),
  isMasked: fc.constantFrom(true, true, true, false),
  payload,
  announced: fc.option(fc.constantFrom(0, 1, 126, 4_097, 65_536, 2 ** 40), { nil: null, freq: 8 })
})

const handshake = (key: string, version: string) =>
  `GET /inspect/stately HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${adminToken}\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-key: ${key}\r\nsec-websocket-version: ${version}\r\n\r\n`

/** The status of the handshake; the frames follow it at once. Resolves when the connection is closed. */
const talk = (port: number, start: string, frames: Buffer): Promise<number> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1")
    let text = ""
    const deadline = setTimeout(() => {
      socket.destroy()
      reject(new Error("the server did not close the connection"))
    }, 20_000)
    socket.on("data", (data) => {
      if (text === "") socket.end(frames)
      text += data.toString("latin1")
    })
    socket.on("error", () => {})
    socket.on("close", () => {
      clearTimeout(deadline)
      resolve(Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0))
    })
    socket.on("connect", () => socket.write(start))
  })

it("a WebSocket's frames are read or end the connection, whatever they are", () =>
  withServer(async ({ port, troupe }) => {
    let count = 0
    await fuzz({
      name: "WebSocket frames",
      share: 0.04,
      inputsOf: 5,
      arbitrary: fc.record({
        frames: fc.array(frame, { minLength: 5, maxLength: 5 }),
        key: fc.oneof(
          { weight: 9, arbitrary: fc.constant("dGhlIHNhbXBsZSBub25jZQ==") },
          { weight: 1, arbitrary: anyText }
        ),
        version: fc.constantFrom("13", "13", "13", "13", "13", "8", "x")
      }),
      run: async ({ frames, key, version }) => {
        const start = handshake(key.replaceAll(/[\r\n]/g, ""), version)
        const status = await talk(port, start, Buffer.concat(frames.map(bytesOf)))
        assert.include([101, 400, 405, 426, 431], status, start)
        if (++count % 50 === 0) assertNoDefect(troupe)
      }
    })
  }))
