/** Ids and tokens: their prefixes, their alphabets and their lengths are a contract with apps and with the ledger. */
import { assert, describe, it } from "@effect/vitest"
import { Redacted } from "effect"
import * as Ids from "../../src/domain/Ids.ts"

describe("an id", () => {
  it.each([
    ["a session", Ids.newSessionId, /^ses_[\w-]{27}$/],
    ["a one-shot run", Ids.newRunId, /^run_[0-9a-f]{32}$/],
    ["an approval", Ids.newApprovalId, /^apr_[\w-]{27}$/],
    ["a review", Ids.newReviewId, /^rev_[\w-]{16}$/],
    ["a memory", Ids.newMemoryId, /^mem_[\w-]{12}$/],
    ["a file", Ids.newFileId, /^file_[0-9a-f]{32}$/],
    ["a lease", () => Ids.newLeaseId("run_"), /^run_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/],
    ["an app's token", () => Redacted.value(Ids.newAppToken()), /^trp_[\w-]{43}$/],
    ["the admin token", () => Redacted.value(Ids.newAdminToken()), /^trp_admin_[\w-]{43}$/]
  ] as const)("of %s has its prefix and its length, and is new each time", (_, make, form) => {
    const ids = Array.from({ length: 200 }, make)
    for (const id of ids) assert.match(id, form)
    assert.strictEqual(new Set<string>(ids).size, ids.length)
  })
})
