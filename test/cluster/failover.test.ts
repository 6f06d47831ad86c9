/** A PostgreSQL server that dies and whose standby takes its place: what was acknowledged is there, and the nodes go on. */
import { assert, describe, it } from "@effect/vitest"
import { PostgresProgram } from "../ledger/postgres/PostgresProgram.ts"
import { server as postgres } from "../ledger/postgres/schemas.ts"
import { assertKept, client, sessionOf } from "./clients.ts"
import type { Asked } from "./clients.ts"
import { Cluster, until } from "./nodes.ts"
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
      const both = [await nodes.start("first"), await nodes.start("second")]
      const sessions = await Promise.all([...both, ...both].map(sessionOf))
      const asked: Array<Asked> = []
      let isOver = false
      const clients = sessions.map((session, nth) => client(both[(nth + 1) % 2]!, session, asked, () => isOver))
      await until("some turns", () => asked.length >= 12)
      await primary!.kill()
      proxy.target = 0
      proxy.reset()
      assert.deepStrictEqual(await rowsOf(standby.url, "SELECT pg_promote() AS promoted"), [{ promoted: true }])
      proxy.target = standby.port
      const before = asked.length
      await until("turns after it", () => asked.length >= before + 12)
      isOver = true
      await Promise.all(clients)
      await assertKept(both, asked)
    } finally {
      await nodes.cleanUp()
      await proxy.close()
      await standby.stop()
      await primary!.close()
    }
  })
})
