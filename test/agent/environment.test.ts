/** A child's environment: what it needs, what was configured for it, and nothing of ours. */
import { assert, describe, it } from "@effect/vitest"
import { anyAgent, claude, codex, forChild, noAccount } from "../../src/agent/environment.ts"

const ours = {
  PATH: "/bin",
  HOME: "/home/dev",
  LC_ALL: "C.UTF-8",
  https_proxy: "http://proxy",
  OPENAI_API_KEY: "key",
  CODEX_HOME: "/codex",
  CODEX_THREAD_ID: "of the codex that runs us",
  ANTHROPIC_API_KEY: "key",
  CLAUDE_CODE_ENTRYPOINT: "of the claude that runs us",
  IS_SANDBOX: "1",
  DATABASE_URL: "postgres://…",
  TROUPE_ADMIN_TOKEN: "admin",
  TROUPE_LEASE: "of the Troupe that runs us",
  EMPTY: undefined
}
const common = { PATH: "/bin", HOME: "/home/dev", LC_ALL: "C.UTF-8", https_proxy: "http://proxy" }

describe("the environment of a child", () => {
  it("a codex child gets what codex needs", () => {
    assert.deepStrictEqual(forChild(codex, ours, {}), {
      ...common,
      OPENAI_API_KEY: "key",
      CODEX_HOME: "/codex"
    })
  })

  it("a claude child gets what claude needs, and no other agent's key", () => {
    assert.deepStrictEqual(forChild(claude, ours, {}), {
      ...common,
      ANTHROPIC_API_KEY: "key",
      CLAUDE_CODE_MAX_RETRIES: "5",
      IS_SANDBOX: "1"
    })
  })

  it("the retries of claude are bounded, unless the operator sets their number", () => {
    const retries = (from: Readonly<Record<string, string>>, env = {}) =>
      forChild(anyAgent, from, { env })["CLAUDE_CODE_MAX_RETRIES"]
    assert.strictEqual(retries({ CLAUDE_CODE_MAX_RETRIES: "" }), "5")
    assert.strictEqual(retries({ CLAUDE_CODE_MAX_RETRIES: "2" }), "2")
    assert.strictEqual(retries({ CLAUDE_CODE_MAX_RETRIES: "2" }, { CLAUDE_CODE_MAX_RETRIES: "10" }), "10")
  })

  it("the demo agent gets no account", () => {
    assert.deepStrictEqual(forChild(noAccount, ours, {}), common)
  })

  it("a child gets what the operator names, and what the operator sets overrides it", () => {
    const spec = { inheritEnv: ["DATABASE_URL", "NOT_THERE", "EMPTY"], env: { HOME: "/srv", EXTRA: "" } }
    assert.deepStrictEqual(forChild(noAccount, ours, spec), {
      ...common,
      DATABASE_URL: "postgres://…",
      HOME: "/srv",
      EXTRA: ""
    })
  })

  it("a child never gets Troupe's own variables, named or set", () => {
    const spec = { inheritEnv: ["TROUPE_ADMIN_TOKEN", "TROUPE_LEASE"], env: { TROUPE_LEASE: "forged" } }
    assert.deepStrictEqual(forChild(noAccount, ours, spec), common)
  })
})
