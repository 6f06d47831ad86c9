/**
 * Builds the environment of a child: by a list of names, so that a variable that is not listed is not inherited.
 *
 * A child inherits what every program needs, what its kind is known to need (`needs.ts`), and what the operator names in
 * `inheritEnv`. Then `env` is set unchanged. A child never gets Troupe's own variables (`TROUPE_…`: tokens, addresses),
 * not even when they are named, and none of those that npm sets for what it starts; the marker is set by `Processes`.
 */
import { delimiter } from "node:path"
import { ofAnyAgent } from "./needs.ts"
import type { Needs } from "./needs.ts"
import { splitPath } from "./npmPath.ts"
import { looksSecret, secretsOf } from "./redact.ts"

type Source = Readonly<Record<string, string | undefined>>

/** What an operator configures. In `inheritEnv` a name that ends in `*` is a prefix. */
interface Configured {
  readonly env?: Readonly<Record<string, string>>
  readonly inheritEnv?: ReadonlyArray<string>
}

/**
 * What any program needs to find its tools, its home and its language, and to reach the network and a repository as its
 * user does. A name that ends in `*` is a prefix.
 */
const common = [
  "PATH",
  "HOME",
  // The user's name: git, ssh and shells fail without it.
  "USER",
  "LOGNAME",
  "SHELL",
  "TMPDIR",
  "TERM",
  "COLORTERM",
  // Language and time.
  "LANG",
  "LANGUAGE",
  "LC_*",
  "LOCPATH",
  "LOCALE_ARCHIVE",
  "TZ",
  "TZDIR",
  // Directories of configuration and caches, if not under HOME.
  "XDG_CONFIG_HOME",
  "XDG_CONFIG_DIRS",
  "XDG_CACHE_HOME",
  "XDG_DATA_HOME",
  "XDG_DATA_DIRS",
  "XDG_STATE_HOME",
  "XDG_BIN_HOME",
  "XDG_RUNTIME_DIR",
  // Proxies, in both spellings that programs read.
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "ALL_PROXY",
  "NO_PROXY",
  "http_proxy",
  "https_proxy",
  "all_proxy",
  "no_proxy",
  // The certificates of a company, and of proxies that decrypt: each library has its own name for them.
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "NODE_EXTRA_CA_CERTS",
  "NODE_USE_SYSTEM_CA",
  "REQUESTS_CA_BUNDLE",
  "CURL_CA_BUNDLE",
  "GIT_SSL_CAINFO",
  "GIT_SSL_CAPATH",
  "CARGO_HTTP_CAINFO",
  "PIP_CERT",
  "DENO_CERT",
  "NIX_SSL_CERT_FILE",
  // git over ssh, signatures, keyrings. Not GIT_DIR and the like, which name a repository.
  "SSH_AUTH_SOCK",
  "SSH_AGENT_PID",
  "GPG_TTY",
  "GPG_AGENT_INFO",
  "GNUPGHOME",
  "DBUS_SESSION_BUS_ADDRESS",
  "GIT_SSH",
  "GIT_SSH_COMMAND",
  "GIT_SSH_VARIANT",
  "GIT_AUTHOR_*",
  "GIT_COMMITTER_*",
  "GIT_CONFIG_GLOBAL",
  "GIT_CONFIG_SYSTEM",
  "GIT_CONFIG_NOSYSTEM",
  "EMAIL",
  // Where toolchains and their managers have their homes.
  "JAVA_HOME",
  "JDK_HOME",
  "MAVEN_HOME",
  "M2_HOME",
  "GRADLE_HOME",
  "GRADLE_USER_HOME",
  "SDKMAN_DIR",
  "ANDROID_HOME",
  "ANDROID_SDK_ROOT",
  "FLUTTER_ROOT",
  "GOPATH",
  "GOROOT",
  "GOBIN",
  "GOCACHE",
  "GOMODCACHE",
  "GOPRIVATE",
  "GOTOOLCHAIN",
  "CARGO_HOME",
  "RUSTUP_HOME",
  "RUSTUP_TOOLCHAIN",
  "NVM_DIR",
  "NVM_BIN",
  "FNM_DIR",
  "FNM_MULTISHELL_PATH",
  "VOLTA_HOME",
  "N_PREFIX",
  "PNPM_HOME",
  "COREPACK_HOME",
  "BUN_INSTALL",
  "DENO_DIR",
  "DENO_INSTALL",
  "ASDF_DIR",
  "ASDF_DATA_DIR",
  "MISE_DATA_DIR",
  "MISE_CONFIG_DIR",
  "PYENV_ROOT",
  "VIRTUAL_ENV",
  "CONDA_PREFIX",
  "CONDA_EXE",
  "CONDA_DEFAULT_ENV",
  "UV_CACHE_DIR",
  "UV_TOOL_DIR",
  "UV_PYTHON_INSTALL_DIR",
  "PIPX_HOME",
  "POETRY_HOME",
  "RBENV_ROOT",
  "GEM_HOME",
  "GEM_PATH",
  "BUNDLE_PATH",
  "COMPOSER_HOME",
  "DOTNET_ROOT",
  "DOTNET_CLI_HOME",
  "NUGET_PACKAGES",
  "STACK_ROOT",
  "OPAMROOT",
  "MIX_HOME",
  "HEX_HOME",
  "JULIA_DEPOT_PATH",
  "HOMEBREW_PREFIX",
  "HOMEBREW_CELLAR",
  "HOMEBREW_REPOSITORY",
  "NIX_PATH",
  "NIX_PROFILES",
  "LD_LIBRARY_PATH",
  "LIBRARY_PATH",
  "CPATH",
  "PKG_CONFIG_PATH",
  // Where programs for Node keep what they have compiled, for users who set it: the next start is sooner, by a tenth or a fifth.
  "NODE_COMPILE_CACHE",
  // The registry and the login of npm, as a user sets them; npm itself sets the names in lower case.
  "NPM_CONFIG_REGISTRY",
  "NPM_CONFIG_USERCONFIG",
  "NPM_CONFIG_CACHE"
]

/** Set by a codex that runs Troupe, about that codex: a child that inherited them would take itself for that codex. */
const neverInherited = [
  /^CODEX_(THREAD_ID|SESSION_ID|TOOL_CALL_ID|CI|VERSION|MANAGED_)/,
  /^CODEX_SANDBOX/,
  // The same of a Claude Code that runs Troupe: a child would refuse to start inside itself.
  /^CLAUDE_CODE_(SESSION_ID|ENTRYPOINT|SSE_PORT)$/
]

/** Set by npm for what it starts. They name Troupe's own package, and an `npm` of the child would take them for its own. */
const setByNpm = /^npm_/

/** The whole environment of a child with these needs, but for the marker. `from` is ours. */
export const forChild = (needs: Needs, from: Source, spec: Configured): Readonly<Record<string, string>> => {
  const isCommon = matcher(common)
  const isNeeded = matcher(needs.inherited)
  const isExact = new Set(needs.inherited)
  const isNamed = matcher(spec.inheritEnv ?? [])
  const isNamedExactly = new Set(spec.inheritEnv)
  const child: Record<string, string> = {}
  for (const [name, value] of Object.entries(from)) {
    if (value === undefined || name.startsWith("TROUPE_")) continue
    const isOfKind = isNeeded(name) && (needs.noSecrets !== true || isExact.has(name) || !looksSecret(name))
    const isInherited =
      isNamedExactly.has(name) ||
      ((isCommon(name) || isOfKind || isNamed(name)) &&
        !setByNpm.test(name) &&
        !neverInherited.some((pattern) => pattern.test(name)))
    if (isInherited) child[name] = name === "PATH" ? (splitPath(from).own ?? value) : value
  }
  for (const [name, value] of Object.entries(needs.defaults)) {
    if ((child[name] ?? "") === "") child[name] = value
  }
  for (const [name, value] of Object.entries(spec.env ?? {})) {
    if (!name.startsWith("TROUPE_")) child[name] = value
  }
  return child
}

/** Where programs are looked for: along the child's PATH, and last where npm put those that Troupe was installed with. */
export const searchPath = (from: Source, spec: Configured, child: Readonly<Record<string, string>>) => {
  const path = child["PATH"]
  const { added } = splitPath(from)
  if (path === undefined || spec.env?.["PATH"] !== undefined || added.length === 0) return path
  return [path, ...added].join(delimiter)
}

/** The variables of our environment that the operator gave the child by name. */
export const namedByOperator = (from: Source, { inheritEnv = [] }: Configured): Source => {
  const isNamed = matcher(inheritEnv)
  return Object.fromEntries(Object.entries(from).filter(([name]) => isNamed(name) && !name.startsWith("TROUPE_")))
}

/** The values in a child's environment that must not be shown (`secretsOf`). */
export const secretsOfChild = (child: Readonly<Record<string, string>>, spec: Configured): ReadonlyArray<string> =>
  secretsOf(child, new Set([...Object.keys(spec.env ?? {}), ...Object.keys(namedByOperator(child, spec))]))

/**
 * The names of set variables that a child does not get and may need: accounts and settings of agents, and what else looks
 * like a secret. Never Troupe's own, nor those that describe the agent or the npm that runs Troupe. Sorted.
 */
export const heldBack = (child: Readonly<Record<string, string>>, from: Source): ReadonlyArray<string> => {
  const isOfAnAgent = matcher(ofAnyAgent)
  return Object.entries(from)
    .flatMap(([name, value]) => {
      const isSet = value !== undefined && value !== "" && child[name] === undefined
      const isOurs =
        name.startsWith("TROUPE_") || setByNpm.test(name) || neverInherited.some((pattern) => pattern.test(name))
      return isSet && !isOurs && (isOfAnAgent(name) || looksSecret(name)) ? [name] : []
    })
    .sort()
}

const matcher = (names: ReadonlyArray<string>) => {
  const exact = new Set(names.filter((name) => !name.endsWith("*")))
  const prefixes = names.filter((name) => name.endsWith("*")).map((name) => name.slice(0, -1))
  return (name: string) => exact.has(name) || prefixes.some((prefix) => name.startsWith(prefix))
}
