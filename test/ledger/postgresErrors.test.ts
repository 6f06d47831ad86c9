/** The kinds of PostgreSQL's errors: what is tried again, and what an app is told. */
import { assert, describe, it } from "@effect/vitest"
import { ConnectionError, SqlError } from "effect/sql/SqlError"
import { kindOf } from "../../src/ledger/postgres/errors.ts"

const wrapped = (cause: Error) =>
  new SqlError({ reason: new ConnectionError({ cause, message: "PgConnection: Socket error", operation: "query" }) })
const systemError = (code: string) => Object.assign(new Error(`write ${code}`), { code, errno: -32, syscall: "write" })

describe("an error of PostgreSQL", () => {
  it.each(["EPIPE", "ECONNRESET", "ETIMEDOUT"])("is a lost connection where the system says %s", (code) =>
    assert.strictEqual(kindOf(wrapped(systemError(code))), "unreachable")
  )

  it.each([
    ["57P01", "unreachable"],
    ["08006", "unreachable"],
    ["40001", "busy"],
    ["53100", "full"],
    ["42601", "refused"]
  ])("is by the server's own state %s: %s", (code, kind) =>
    assert.strictEqual(kindOf(wrapped(Object.assign(new Error("said"), { code }))), kind)
  )
})
