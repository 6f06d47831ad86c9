/** A child's environment: what it needs, what was configured for it, and nothing of ours. */
import { dirname } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { forChild, heldBack, searchPath, secretsOfChild } from "../../src/agent/environment.ts"
import * as Launch from "../../src/agent/Launch.ts"
import { claude, codex, custom, noAccount, ofRegistry } from "../../src/agent/needs.ts"

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
      forChild(custom, from, { env })["CLAUDE_CODE_MAX_RETRIES"]
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

  it("a program of which only the command is known gets no account, but where agents have their homes", () => {
    const from = { ...ours, CLAUDE_CONFIG_DIR: "/c", CLAUDE_CODE_OAUTH_TOKEN: "key", AWS_SECRET_ACCESS_KEY: "key" }
    assert.deepStrictEqual(forChild(custom, from, {}), {
      ...common,
      CODEX_HOME: "/codex",
      CLAUDE_CONFIG_DIR: "/c",
      CLAUDE_CODE_MAX_RETRIES: "5",
      IS_SANDBOX: "1"
    })
    const named = forChild(custom, from, { inheritEnv: ["AWS_*", "ANTHROPIC_API_KEY"] })
    assert.deepInclude(named, { AWS_SECRET_ACCESS_KEY: "key", ANTHROPIC_API_KEY: "key" })
    assert.notProperty(named, "OPENAI_API_KEY")
  })

  it.each([
    ["qwen", "DASHSCOPE_API_KEY"],
    ["kimi", "MOONSHOT_API_KEY"],
    ["opencode", "OPENROUTER_API_KEY"],
    ["grok-build", "XAI_API_KEY"],
    ["cursor", "CURSOR_API_KEY"],
    ["copilot", "GH_TOKEN"],
    ["copilot", "GITHUB_TOKEN"],
    ["gemini", "GEMINI_API_KEY"],
    ["gemini", "GOOGLE_CLOUD_PROJECT"]
  ])("%s gets %s, and each key that it does not get is reported as held back", (agent, name) => {
    const from = { ...common, [name]: "key", OTHER_API_KEY: "key" }
    const child = forChild(ofRegistry(agent), from, {})
    assert.deepStrictEqual(child, { ...common, [name]: "key" })
    assert.deepStrictEqual(heldBack(child, from), ["OTHER_API_KEY"])
    // An agent of no provider gets any provider's key; the others only their own.
    assert.deepStrictEqual(heldBack(forChild(ofRegistry("devin"), from, {}), from), [name, "OTHER_API_KEY"].sort())
  })

  it("every agent of acpx's registry has a row", () => {
    assert.deepStrictEqual(
      Launch.registered.filter((name) => ofRegistry(name) === noAccount),
      ["fx"]
    )
  })

  it("what is held back is what may be missed: accounts and secrets that are set, and nothing of ours", () => {
    const from = { ...ours, HOSTNAME: "h", MY_TOKEN: "t", UNSET_TOKEN: "", npm_config_token: "t", AWS_REGION: "eu" }
    assert.deepStrictEqual(heldBack(forChild(codex, from, {}), from), [
      "ANTHROPIC_API_KEY",
      "AWS_REGION",
      "IS_SANDBOX",
      "MY_TOKEN"
    ])
    const spec = { inheritEnv: ["MY_TOKEN"], env: { AWS_REGION: "us" } }
    assert.notIncludeMembers([...heldBack(forChild(codex, from, spec), from)], ["MY_TOKEN", "AWS_REGION"])
  })

  it("a child reaches repositories, the network and toolchains as its user does", () => {
    const from = {
      SSH_AUTH_SOCK: "/run/agent",
      GPG_TTY: "/dev/pts/1",
      DBUS_SESSION_BUS_ADDRESS: "unix:path=/run/bus",
      GIT_SSH_COMMAND: "ssh -i key",
      GIT_AUTHOR_NAME: "Dev",
      GIT_COMMITTER_EMAIL: "dev@example.org",
      NODE_EXTRA_CA_CERTS: "/ca",
      NODE_COMPILE_CACHE: "/cache",
      SSL_CERT_DIR: "/ca",
      REQUESTS_CA_BUNDLE: "/ca",
      CURL_CA_BUNDLE: "/ca",
      GIT_SSL_CAINFO: "/ca",
      JAVA_HOME: "/java",
      GOPATH: "/go",
      CARGO_HOME: "/cargo",
      RUSTUP_HOME: "/rustup",
      NVM_DIR: "/nvm",
      PYENV_ROOT: "/pyenv",
      VOLTA_HOME: "/volta",
      LC_TIME: "C",
      XDG_DATA_DIRS: "/usr/share"
    }
    assert.deepStrictEqual(forChild(noAccount, from, {}), from)
    assert.deepStrictEqual(forChild(noAccount, { GIT_DIR: "/repo/.git", GIT_INDEX_FILE: "/i" }, {}), {})
  })

  it("what npm put on PATH and into the environment is not the child's", () => {
    const npm = {
      npm_execpath: "/usr/lib/node_modules/npm/bin/npm-cli.js",
      npm_package_json: "/srv/troupe/package.json",
      npm_config_local_prefix: "/srv/troupe"
    }
    const added = [
      "/srv/troupe/node_modules/.bin",
      "/srv/node_modules/.bin",
      "/node_modules/.bin",
      "/usr/lib/node_modules/npm/node_modules/@npmcli/run-script/lib/node-gyp-bin"
    ]
    const users = ["/home/dev/.nvm/bin", "/home/dev/app/node_modules/.bin", dirname(process.execPath), "/usr/bin"]
    const from = { ...npm, PATH: [...added, ...users].join(":") }
    const child = forChild(noAccount, from, { inheritEnv: ["npm_*"] })
    assert.deepStrictEqual(child, { PATH: users.join(":") })
    // Programs that were installed with Troupe are still found, behind the user's own.
    assert.strictEqual(searchPath(from, {}, child), [...users, ...added].join(":"))
    // A user who set these by name, or whose PATH no npm made, gets what was set.
    assert.strictEqual(forChild(noAccount, from, { inheritEnv: ["npm_execpath"] })["npm_execpath"], npm.npm_execpath)
    assert.deepStrictEqual(forChild(noAccount, { PATH: from.PATH }, {}), { PATH: from.PATH })
    assert.strictEqual(forChild(noAccount, from, { env: { PATH: "/mine" } })["PATH"], "/mine")
  })

  it("a child's secrets are those that its variables' names show, and what the operator gave it by name", () => {
    const from = { PATH: "/bin", MINE: "an-inherited-value", SOME_TOKEN: "not-for-it" }
    const spec = {
      inheritEnv: ["MINE"],
      env: { OPAQUE: "opaque-value-0123", GREETING: "hello", BASE_URL: "http://host/long" }
    }
    const secrets = secretsOfChild(forChild(noAccount, from, spec), spec)
    assert.deepStrictEqual([...secrets].sort(), ["an-inherited-value", "opaque-value-0123"])
  })

  it("a child never gets Troupe's own variables, named or set", () => {
    const spec = { inheritEnv: ["TROUPE_ADMIN_TOKEN", "TROUPE_LEASE"], env: { TROUPE_LEASE: "forged" } }
    assert.deepStrictEqual(forChild(noAccount, ours, spec), common)
  })
})
