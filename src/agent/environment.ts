/**
 * Builds the environment of a child: by a list of names, so that a variable that is not listed is not inherited.
 *
 * A child inherits what every program needs, what its kind is known to need, and what the operator names in
 * `inheritEnv`. Then `env` is set unchanged. A child never gets Troupe's own variables (`TROUPE_…`: tokens, addresses),
 * not even when they are named; the marker is set by `Processes`.
 */
type Source = Readonly<Record<string, string | undefined>>

/** What any program needs to find its tools, its home and its language. A name that ends in `*` is a prefix. */
const common = [
  "PATH",
  "HOME",
  // The user's name: git, ssh and shells fail without it.
  "USER",
  "LOGNAME",
  "SHELL",
  "LANG",
  "LANGUAGE",
  "LC_*",
  "TZ",
  "TMPDIR",
  "TERM",
  // Directories of configuration and caches, if not under HOME.
  "XDG_CONFIG_HOME",
  "XDG_CACHE_HOME",
  "XDG_DATA_HOME",
  "XDG_STATE_HOME",
  "XDG_RUNTIME_DIR",
  // Proxies, in both spellings that programs read, and the certificates of proxies that decrypt.
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
  /** Names of variables that it gets from our environment. A name that ends in `*` is a prefix. */
  readonly inherited: ReadonlyArray<string>
  /** Variables that are set where neither our environment nor the operator sets them. */
  readonly defaults: Readonly<Record<string, string>>
}

/**
 * Claude Code and its ACP adapter: account and endpoint, its own settings, and the permission to run as root in a
 * container.
 *
 * Claude's own ten retries of a failed model take three minutes, those of a refused login without any message; five take
 * a quarter of a minute, which is about what codex takes.
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
    // The account of Claude on Bedrock and Vertex.
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

/** An agent of any make: what Claude and codex read, and what Gemini's own adapter reads, the third in use. */
export const anyAgent: Needs = {
  inherited: [...claude.inherited, ...codex.inherited, "GEMINI_*", "GOOGLE_API_KEY", "GOOGLE_CLOUD_*"],
  defaults: { ...claude.defaults, ...codex.defaults }
}

/** The built-in demo agent, which needs no account. */
export const noAccount: Needs = { inherited: [], defaults: {} }

/** Set by a codex that runs Troupe, about that codex: a child that inherited them would take itself for that codex. */
const neverInherited = [
  /^CODEX_(THREAD_ID|SESSION_ID|TOOL_CALL_ID|CI|VERSION|MANAGED_)/,
  /^CODEX_SANDBOX/,
  // The same of a Claude Code that runs Troupe: a child would refuse to start inside itself.
  /^CLAUDE_CODE_(SESSION_ID|ENTRYPOINT|SSE_PORT)$/
]

/** The whole environment of a child with these needs, but for the marker. `from` is ours. */
export const forChild = (
  needs: Needs,
  from: Source,
  spec: { readonly env?: Readonly<Record<string, string>>; readonly inheritEnv?: ReadonlyArray<string> }
): Readonly<Record<string, string>> => {
  const isNeeded = matcher([...common, ...needs.inherited])
  const requested = new Set(spec.inheritEnv)
  const child: Record<string, string> = {}
  for (const [name, value] of Object.entries(from)) {
    if (value === undefined || name.startsWith("TROUPE_")) continue
    if (requested.has(name) || (isNeeded(name) && !neverInherited.some((pattern) => pattern.test(name))))
      child[name] = value
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
  const prefixes = names.filter((name) => name.endsWith("*")).map((name) => name.slice(0, -1))
  return (name: string) => exact.has(name) || prefixes.some((prefix) => name.startsWith(prefix))
}
