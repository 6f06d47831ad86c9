/** A network of the tests' own: connections go through it to a port, and can be held, reset, refused and delayed. */
import { once } from "node:events"
import { connect, createServer } from "node:net"
import type { AddressInfo, Server, Socket } from "node:net"

export class TcpProxy {
  readonly #server: Server
  readonly #pairs = new Set<readonly [Socket, Socket]>()
  /** Where connections lead to; 0: nowhere, they are refused. */
  target = 0
  #isCut = false
  #isMuffled = false
  #isDeaf = false
  /** Milliseconds that each piece waits, in each direction. */
  delay = 0

  private constructor() {
    // A side may end its half: the other one is told, and no more.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (socket) =>
      this.#join(socket)
    )
  }

  static async open(): Promise<TcpProxy> {
    const proxy = new TcpProxy()
    proxy.#server.listen(0, "127.0.0.1")
    await once(proxy.#server, "listening")
    return proxy
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  #join(near: Socket): void {
    if (this.target === 0) return void near.destroy()
    const far = connect({ port: this.target, host: "127.0.0.1", allowHalfOpen: true, noDelay: true })
    const pair = [near, far] as const
    this.#pairs.add(pair)
    for (const [from, to] of [
      [near, far],
      [far, near]
    ] as const) {
      const isHeld = () => this.#isCut || (from === far ? this.#isMuffled : this.#isDeaf)
      from.on("data", (piece: Buffer) => {
        if (this.delay === 0) this.#write(from, to, piece, isHeld)
        else setTimeout(() => this.#write(from, to, piece, isHeld), this.delay)
      })
      from.on("end", () => setTimeout(() => to.end(), this.delay))
      from.on("error", () => to.destroy())
      from.on("close", () => {
        this.#pairs.delete(pair)
        to.destroy()
      })
    }
    // A delayed piece is not held back any more: the other side would wait for as long as it is silent.
    if (!this.#isCut && !this.#isDeaf) near.resume()
    if (this.#isCut || this.#isMuffled) far.pause()
  }

  #write(from: Socket, to: Socket, piece: Buffer, isHeld: () => boolean): void {
    if (to.destroyed || to.writableEnded || to.write(piece)) return
    from.pause()
    to.once("drain", () => {
      if (!isHeld()) from.resume()
    })
  }

  /** Nothing comes through, and nobody is told: as where a cable is pulled. */
  cut(): void {
    this.#isCut = true
    for (const sockets of this.#pairs) for (const socket of sockets) socket.pause()
  }

  /** What is asked comes through, and no answer. */
  muffle(): void {
    this.#isMuffled = true
    for (const [, far] of this.#pairs) far.pause()
  }

  /** What is answered comes through, and nothing that is asked. */
  deafen(): void {
    this.#isDeaf = true
    for (const [near] of this.#pairs) near.pause()
  }

  /** What was held comes through. */
  heal(): void {
    this.#isCut = false
    this.#isMuffled = false
    this.#isDeaf = false
    for (const sockets of this.#pairs) for (const socket of sockets) socket.resume()
  }

  /** All connections are gone at once; new ones are let in. */
  reset(): void {
    for (const sockets of this.#pairs) for (const socket of sockets) socket.resetAndDestroy()
  }

  async close(): Promise<void> {
    const closed = once(this.#server, "close")
    this.#server.close()
    this.reset()
    await closed
  }
}
