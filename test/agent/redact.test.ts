/** Secrets of a child are removed, and the text around them stays. */
import { assert, describe, it } from "@effect/vitest"
import { looksSecret, mapTexts, redact, secretsOf } from "../../src/agent/redact.ts"

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

  it("a secret is removed also as JSON, a query and a single line write it", () => {
    const secrets = secretsOf({ A_KEY: 'pass"word ü\nsecond-line-of-it', B_KEY: "trimmed-key\n" })
    for (const text of [
      JSON.stringify({ a: 'pass"word ü\nsecond-line-of-it' }),
      '{"a":"pass\\"word \\u00fc\\nsecond-line-of-it"}',
      "?key=pass%22word%20%C3%BC%0Asecond-line-of-it",
      "the second-line-of-it alone",
      "x trimmed-key y"
    ]) {
      assert.notMatch(redact(text, secrets), /word|second-line|trimmed/)
    }
  })

  it("the beginning of a secret is removed where the text was cut", () => {
    const secrets = ["0123456789-secret-key"]
    assert.strictEqual(redact("key 0123456789-sec", secrets), "key [redacted]")
    assert.strictEqual(redact("key 0123456789-sec… Log in. 0123456789", secrets), "key [redacted]… Log in. [redacted]")
    assert.strictEqual(redact("key 0123456 and 0123456789 more", secrets), "key 0123456 and 0123456789 more")
  })

  it("a value that the operator gave by name is a secret where it is long enough and its name is open", () => {
    const env = {
      OPAQUE: "0123456789ab",
      MODE: "production-mode",
      SHORT: "production",
      API_URL: "https://host.example"
    }
    assert.deepStrictEqual(secretsOf(env, new Set(Object.keys(env))), ["0123456789ab"])
  })

  it("texts within a value are changed, and what is nested too deep is left out", () => {
    let nested: unknown = "secret"
    for (let i = 0; i < 10_000; i++) nested = { nested }
    const change = (text: string) => text.replace("secret", "x")
    assert.deepStrictEqual(mapTexts({ a: ["secret", 1, null] }, change), { a: ["x", 1, null] })
    assert.include(JSON.stringify(mapTexts(nested, change)), "…")
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
    ["access_token=abcd1234&next=1", "access_token=[redacted]&next=1"],
    ["XY_API_KEY=abcd1234 and SOME_TOKEN=abcdef99", "XY_API_KEY=[redacted] and SOME_TOKEN=[redacted]"],
    ['"{\\"api_key\\": \\"abcd1234\\"}"', '"{\\"api_key\\": \\"[redacted]\\"}"'],
    ["-----BEGIN PRIVATE KEY-----\nabc-def\n-----END PRIVATE KEY----- after", "[redacted] after"],
    ["gsk_abcdefghijklmnopqrstuvwx hf_abcdefghijklmnopqrstuvwx", "[redacted] [redacted]"]
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
