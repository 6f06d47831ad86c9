/** A TCP proxy on loopback that can cut what goes through it, as a network does. */
import { connect, createServer } from "node:net"
import type { AddressInfo, Socket } from "node:net"
import { once } from "node:events"

export interface CuttingProxy extends AsyncDisposable {
  readonly url: string
  /** Resets all connections; new ones are made as before. */
  readonly cut: () => void
  /** Resets the connection on which the server answers next, before anything of that answer has gone through. */
  readonly swallowAnswer: () => void
}

export const cuttingProxy = async (target: string): Promise<CuttingProxy> => {
  const { hostname, port } = new URL(target)
  const open = new Set<Socket>()
  let isSwallowing = false
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname)
    for (const socket of [client, upstream]) {
      open.add(socket)
      socket
        .on("error", () => {})
        .on("close", () => {
          open.delete(socket)
          client.destroy()
          upstream.destroy()
        })
    }
    client.pipe(upstream)
    upstream.on("data", (bytes) => {
      if (!isSwallowing) return void client.write(bytes)
      isSwallowing = false
      client.resetAndDestroy()
    })
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const cut = () => {
    for (const socket of open) socket.resetAndDestroy()
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    swallowAnswer: () => {
      isSwallowing = true
    },
    [Symbol.asyncDispose]: async () => {
      cut()
      server.close()
      await once(server, "close")
    }
  }
}
