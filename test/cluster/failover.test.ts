/** A PostgreSQL server that dies and whose standby takes its place: what was acknowledged is there, and the nodes go on. */
import { assert, describe, it } from "@effect/vitest"
import { PostgresProgram } from "../ledger/postgres/PostgresProgram.ts"
import { server as postgres } from "../ledger/postgres/schemas.ts"
import { startClients } from "./clients.ts"
import { Cluster } from "./nodes.ts"
import { rowsOf } from "./torture/sql.ts"
import { TcpProxy } from "./TcpProxy.ts"

describe.skipIf(postgres === null)("a failover of the database", () => {
  it("to a standby that confirms commits loses no turn that was answered, and repeats none", async () => {
    const primary = await PostgresProgram.open()
    assert.isNotNull(primary)
    const standby = await primary!.standby()
    const proxy = await TcpProxy.open()
    proxy.target = primary!.port
    const url = new URL(primary!.url)
    url.port = String(proxy.port)
    const nodes = new Cluster(String(url))
    try {
      const both = [await nodes.start("first"), await nodes.start("second")] as const
      const clients = await startClients(...both)
      await clients.more(12)
      await primary!.kill()
      proxy.target = 0
      proxy.reset()
      assert.deepStrictEqual(await rowsOf(standby.url, "SELECT pg_promote() AS promoted"), [{ promoted: true }])
      proxy.target = standby.port
      await clients.more(12)
      await clients.endKept()
    } finally {
      await nodes.cleanUp()
      await proxy.close()
      await standby.stop()
      await primary!.close()
    }
  })
})
