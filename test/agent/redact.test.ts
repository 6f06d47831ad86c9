/** Secrets of a child are removed, and the text around them stays. */
import { assert, describe, it } from "@effect/vitest"
import { looksSecret, redact, secretsOf } from "../../src/agent/redact.ts"

describe("redaction", () => {
  it("a secret is recognized by the name of its variable", () => {
    const secret = ["OPENAI_API_KEY", "ANTHROPIC_AUTH_TOKEN", "GITHUB_TOKEN", "DB_PASSWORD", "AUTH", "AUTHORIZATION"]
    const open = ["PATH", "HOME", "KEYBOARD", "CODEX_HOME", "MONKEY", "LANG", "HTTP_PROXY", "TOKENIZERS_PARALLELISM"]
    assert.deepStrictEqual(secret.filter(looksSecret), secret)
    assert.deepStrictEqual(open.filter(looksSecret), [])
  })

  it("the values of secret variables are removed everywhere, the longer first", () => {
    const secrets = secretsOf({ A_TOKEN: "abcdef", B_TOKEN: "abcdefghij", HOME: "/home/dev", C_KEY: "1" })
    assert.strictEqual(redact("abcdefghij /home/dev abcdef 1", secrets), "[redacted] /home/dev [redacted] 1")
  })

  it("the password of an address in the environment is removed, also where it stands alone", () => {
    const secrets = secretsOf({ HTTPS_PROXY: "http://me:s3cr3t-pass@proxy:3128" })
    assert.strictEqual(redact("login s3cr3t-pass failed", secrets), "login [redacted] failed")
  })

  it.each([
    ["Authorization: Bearer abc.def-123", "Authorization: Bearer [redacted]"],
    ['{"api_key": "abcd1234"}', '{"api_key": "[redacted]"}'],
    ["key sk-proj-abcdefgh12345678 is invalid", "key [redacted] is invalid"],
    ["token trp_0123456789abcdef", "token [redacted]"],
    [
      "https://user:pass@host/path and https://tok123@host/",
      "https://[redacted]@host/path and https://[redacted]@host/"
    ],
    ["jwt eyJhbGciOiJIUzI1.eyJzdWIiOiIx.c2ln done", "jwt [redacted] done"],
    ["ghp_abcdefghijklmnop AKIAABCDEFGHIJKLMNOP", "[redacted] [redacted]"],
    ["access_token=abcd1234&next=1", "access_token=[redacted]&next=1"]
  ])("a credential is removed by its shape: %s", (text, clean) => {
    assert.strictEqual(redact(text), clean)
  })

  it.each([
    "error: task sk-1 failed at https://example.com/a@b?x=1",
    "the password is asked for interactively",
    "wrote 12 tokens to /home/dev/key.txt"
  ])("a text that is no credential is not changed: %s", (text) => {
    assert.strictEqual(redact(text), text)
  })

  it("a text that begins like a credential many times takes little time", () => {
    // A shape with an unbounded search would take minutes here, and the test would time out.
    for (const beginning of [
      "eyJ",
      "eyJ.",
      "sk-",
      "a:",
      "x.",
      "Bearer ",
      "https://",
      "https://u:",
      "password=",
      "api_key "
    ]) {
      const text = beginning.repeat(50_000)
      assert.strictEqual(redact(`${text} Bearer abcdef123456`).slice(-17), "Bearer [redacted]")
    }
  })
})
