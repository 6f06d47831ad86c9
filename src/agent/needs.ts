/**
 * What each kind of agent needs of our environment beyond what every program does: its account and its own settings.
 *
 * An agent gets no key of another provider. What it needs besides, the operator names in `inheritEnv`; `troupe doctor`
 * says which variables are held back.
 */

export interface Needs {
  /** Names of variables that it gets from our environment. A name that ends in `*` is a prefix. */
  readonly inherited: ReadonlyArray<string>
  /** Variables that are set where neither our environment nor the operator sets them. */
  readonly defaults: Readonly<Record<string, string>>
  /** Of the names behind a prefix it gets none that looks like a secret. */
  readonly noSecrets?: true
}

const claudeSettings = [
  "CLAUDE_CODE_*",
  "CLAUDE_CONFIG_DIR",
  "CLAUDE_AGENT_*",
  "IS_SANDBOX",
  "DISABLE_AUTOUPDATER",
  "DISABLE_TELEMETRY",
  "DISABLE_ERROR_REPORTING",
  "MAX_THINKING_TOKENS"
]

/**
 * Claude's own ten retries of a failed model take three minutes, those of a refused login without any message; five take
 * a quarter of a minute, which is about what codex takes.
 */
const claudeDefaults = { CLAUDE_CODE_MAX_RETRIES: "5" }

/**
 * Claude Code and its ACP adapter: account and endpoint, its own settings, and the permission to run as root in a
 * container.
 */
export const claude: Needs = {
  // The last three are the account of Claude on Bedrock and Vertex.
  inherited: ["ANTHROPIC_*", ...claudeSettings, "AWS_*", "CLOUD_ML_REGION", "GOOGLE_APPLICATION_CREDENTIALS"],
  defaults: claudeDefaults
}

/** Codex: its home (login, configuration, threads), the keys its providers name by default, its own log level. */
export const codex: Needs = {
  inherited: ["CODEX_*", "OPENAI_*", "AZURE_OPENAI_API_KEY", "RUST_LOG", "LOG_FORMAT"],
  defaults: {}
}

/** The built-in demo agent, which needs no account. */
export const noAccount: Needs = { inherited: [], defaults: {} }

/**
 * A program of which only its command is known: no account at all. It may be an adapter of Claude or codex, so it gets
 * where these have their homes, and their settings.
 */
export const custom: Needs = {
  inherited: [...claudeSettings, "CODEX_HOME", "RUST_LOG", "LOG_FORMAT"],
  defaults: claudeDefaults,
  noSecrets: true
}

/** Agents without a provider of their own use any of these, and choose by the keys that are set. */
const anyProvider = [
  "ANTHROPIC_*",
  "OPENAI_*",
  "AZURE_OPENAI_*",
  "OPENROUTER_*",
  "GEMINI_API_KEY",
  "GOOGLE_API_KEY",
  "GOOGLE_GENERATIVE_AI_API_KEY",
  "GROQ_API_KEY",
  "XAI_API_KEY",
  "DEEPSEEK_API_KEY",
  "MISTRAL_API_KEY"
]

const inherits = (...inherited: ReadonlyArray<string>): Needs => ({ inherited, defaults: {} })

/** The agents of acpx's registry, a row each. One that has no row here gets no account. */
const registryNeeds: Readonly<Record<string, Needs>> = {
  antigravity: inherits("ANTIGRAVITY_*", "GEMINI_*", "GOOGLE_*"),
  claude,
  codex,
  copilot: inherits("COPILOT_*", "GH_TOKEN", "GITHUB_TOKEN", "GH_HOST", "GH_CONFIG_DIR"),
  cursor: inherits("CURSOR_API_KEY", "CURSOR_CONFIG_DIR"),
  devin: inherits("DEVIN_*"),
  droid: inherits("FACTORY_*"),
  "fast-agent": inherits("FAST_AGENT_*", ...anyProvider),
  gemini: inherits("GEMINI_*", "GOOGLE_*"),
  "grok-build": inherits("XAI_*", "GROK_*"),
  iflow: inherits("IFLOW_*"),
  junie: inherits("JUNIE_*"),
  kilocode: inherits("KILO_*", "KILOCODE_*", ...anyProvider),
  kimi: inherits("MOONSHOT_*", "KIMI_*"),
  kiro: inherits("KIRO_*", "AWS_PROFILE", "AWS_REGION"),
  mcode: inherits("MCODE_*"),
  mux: inherits("MUX_*", ...anyProvider),
  openclaw: inherits("OPENCLAW_*", ...anyProvider),
  opencode: inherits("OPENCODE_*", ...anyProvider),
  pi: inherits("PI_*", ...anyProvider),
  pool: inherits("POOLSIDE_*"),
  qoder: inherits("QODER_*"),
  qwen: inherits("DASHSCOPE_*", "QWEN_*"),
  trae: inherits("TRAE_*"),
  zeroclaw: inherits("ZEROCLAW_*", ...anyProvider)
}

/** Of an agent by its name in acpx's registry; `undefined`: it has none. */
export const ofRegistry = (name: string | undefined): Needs =>
  name === undefined ? custom : (registryNeeds[name] ?? noAccount)

/** What is an account or a setting of some agent: all names of the table. */
export const ofAnyAgent: ReadonlyArray<string> = [
  ...new Set(Object.values(registryNeeds).flatMap(({ inherited }) => inherited))
]
