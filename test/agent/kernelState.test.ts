/** What the kernel says that a process waits for, by real processes. */
import { assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { createServer, connect } from "node:net"
import type { AddressInfo } from "node:net"
import process from "node:process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { addressOf, connections, lockHolders } from "../../src/agent/kernelState.ts"
import { stat } from "../../src/agent/processTable.ts"

const until = async <A>(read: () => A, holds: (value: A) => boolean): Promise<A> => {
  const deadline = performance.now() + 20_000
  while (true) {
    const value = read()
    if (holds(value)) return value
    if (performance.now() > deadline) throw new Error(`it never came: ${JSON.stringify(value)}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

describe("what the kernel says of a process", () => {
  it("its state, also where it is stopped, and the processor that it used", async () => {
    const child = spawn(process.execPath, ["-e", "for (;;) {}"], { stdio: "ignore" })
    try {
      const pid = child.pid ?? 0
      await until(
        () => stat(pid)?.cpuSeconds ?? 0,
        (seconds) => seconds >= 0.1
      )
      process.kill(pid, "SIGSTOP")
      await until(
        () => stat(pid)?.state,
        (state) => state === "T"
      )
    } finally {
      child.kill("SIGKILL")
    }
  })

  it("who has the lock of a file that it waits for", async () => {
    const table = [
      "1: FLOCK  ADVISORY  WRITE 500 08:02:131 0 EOF",
      "1: -> FLOCK  ADVISORY  WRITE 600 08:02:131 0 EOF",
      "2: POSIX  ADVISORY  READ 700 08:02:132 0 EOF"
    ]
    assert.deepStrictEqual([...lockHolders(table.join("\n"))], [[600, 500]])
    const directory = mkdtempSync(join(tmpdir(), "troupe-lock-"))
    const file = join(directory, "lock")
    writeFileSync(file, "")
    const holder = spawn("flock", [file, "sleep", "60"], { stdio: "ignore", detached: true })
    const isThere = await Promise.race([
      once(holder, "spawn").then(() => true),
      once(holder, "error").then(() => false)
    ])
    if (!isThere) return rmSync(directory, { recursive: true })
    const held = () => (lockHolders(), stat(holder.pid ?? 0)?.state === "S")
    await until(held, (yes) => yes)
    const waiter = spawn("flock", [file, "true"], { stdio: "ignore", detached: true })
    try {
      await until(
        () => lockHolders().get(waiter.pid ?? 0),
        (pid) => pid === holder.pid
      )
    } finally {
      waiter.kill("SIGKILL")
      process.kill(-(holder.pid ?? 0), "SIGKILL")
      rmSync(directory, { recursive: true })
    }
  })

  it("the other ends of its connections", async () => {
    assert.deepStrictEqual(
      ["0100007F:1F90", "0000000000000000FFFF00000100007F:01BB", "00000000000000000000000001000000:0050"].map(
        addressOf
      ),
      ["127.0.0.1:8080", "127.0.0.1:443", "[::1]:80"]
    )
    const server = createServer().listen(0, "127.0.0.1")
    await once(server, "listening")
    const { port } = server.address() as AddressInfo
    const socket = connect(port, "127.0.0.1")
    await once(socket, "connect")
    assert.include(connections(process.pid) ?? [], `127.0.0.1:${port}`)
    socket.destroy()
    server.close()
  })
})
