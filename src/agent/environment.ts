/**
 * What a child gets of our environment: a list of names, so that what nobody listed stays here.
 *
 * Everything is taken by name: what every program needs, what its protocol is known to need, what the operator names in
 * `inheritEnv`. Then `env` is set as it stands. Troupe's own variables (`TROUPE_…`: tokens, addresses) never go to a
 * child, not even when they are named; the marker is `Processes`' to set.
 */
type Source = Readonly<Record<string, string | undefined>>

/** What any program needs to find its tools, its home and its words. Names that end in `*` are beginnings. */
const everybody = [
  "PATH",
  "HOME",
  // Who am I: git, ssh and shells ask, and fall over where nobody answers.
  "USER",
  "LOGNAME",
  "SHELL",
  "LANG",
  "LANGUAGE",
  "LC_*",
  "TZ",
  "TMPDIR",
  "TERM",
  // Where configuration and caches live, if not under HOME.
  "XDG_CONFIG_HOME",
  "XDG_CACHE_HOME",
  "XDG_DATA_HOME",
  "XDG_STATE_HOME",
  "XDG_RUNTIME_DIR",
  // Proxies, in both spellings that programs read, and the certificates of those that look inside.
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "ALL_PROXY",
  "NO_PROXY",
  "http_proxy",
  "https_proxy",
  "all_proxy",
  "no_proxy",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "NODE_EXTRA_CA_CERTS"
]

/** What a kind of child needs beyond what every program does. */
export interface Needs {
  /** Names of variables that it gets from our environment; those that end in `*` are beginnings. */
  readonly inherited: ReadonlyArray<string>
  /** What it is told where nobody says otherwise. */
  readonly defaults: Readonly<Record<string, string>>
}

/**
 * Claude Code and its ACP adapter: account and endpoint, its own settings, and leave to run as root in a container.
 *
 * Claude's own ten retries of a failed model take three minutes, those of a refused login in silence; five take a
 * quarter of a minute, which is about what codex takes.
 */
export const claude: Needs = {
  inherited: [
    "ANTHROPIC_*",
    "CLAUDE_CODE_*",
    "CLAUDE_CONFIG_DIR",
    "CLAUDE_AGENT_*",
    "IS_SANDBOX",
    "DISABLE_AUTOUPDATER",
    "DISABLE_TELEMETRY",
    "DISABLE_ERROR_REPORTING",
    "MAX_THINKING_TOKENS",
    // Claude on Bedrock and Vertex takes its account from these.
    "AWS_*",
    "CLOUD_ML_REGION",
    "GOOGLE_APPLICATION_CREDENTIALS"
  ],
  defaults: { CLAUDE_CODE_MAX_RETRIES: "5" }
}

/** Codex: its home (login, configuration, threads), the keys its providers name by default, its own log level. */
export const codex: Needs = {
  inherited: ["CODEX_*", "OPENAI_*", "AZURE_OPENAI_API_KEY", "RUST_LOG", "LOG_FORMAT"],
  defaults: {}
}

/** An agent that may be any: it gets what Claude and codex read, and Gemini's own adapter, the third that people run. */
export const anyAgent: Needs = {
  inherited: [...claude.inherited, ...codex.inherited, "GEMINI_*", "GOOGLE_API_KEY", "GOOGLE_CLOUD_*"],
  defaults: { ...claude.defaults, ...codex.defaults }
}

/** The built-in stand-in knows no account. */
export const noAccount: Needs = { inherited: [], defaults: {} }

/** Set by a codex that runs us, and about that codex only: a child that read them would take itself for another. */
const notOurs = [
  /^CODEX_(THREAD_ID|SESSION_ID|TOOL_CALL_ID|CI|VERSION|MANAGED_)/,
  /^CODEX_SANDBOX/,
  // The same of a Claude Code that runs us: its child would refuse to start inside itself.
  /^CLAUDE_CODE_(SESSION_ID|ENTRYPOINT|SSE_PORT)$/
]

/** The whole environment of a child with these needs, marker excepted. `from` is ours (`process.env`, read at the edge). */
export const forChild = (
  needs: Needs,
  from: Source,
  spec: { readonly env?: Readonly<Record<string, string>>; readonly inheritEnv?: ReadonlyArray<string> }
): Readonly<Record<string, string>> => {
  const wanted = matcher([...everybody, ...needs.inherited])
  const named = new Set(spec.inheritEnv)
  const child: Record<string, string> = {}
  for (const [name, value] of Object.entries(from)) {
    if (value === undefined || name.startsWith("TROUPE_")) continue
    if (named.has(name) || (wanted(name) && !notOurs.some((pattern) => pattern.test(name)))) child[name] = value
  }
  for (const [name, value] of Object.entries(needs.defaults)) {
    if ((child[name] ?? "") === "") child[name] = value
  }
  for (const [name, value] of Object.entries(spec.env ?? {})) {
    if (!name.startsWith("TROUPE_")) child[name] = value
  }
  return child
}

const matcher = (names: ReadonlyArray<string>) => {
  const exact = new Set(names.filter((name) => !name.endsWith("*")))
  const beginnings = names.filter((name) => name.endsWith("*")).map((name) => name.slice(0, -1))
  return (name: string) => exact.has(name) || beginnings.some((beginning) => name.startsWith(beginning))
}
