/** What real agents find around them: variables and a configuration by which they ask a model on a loopback port only. */
import { delimiter, dirname, join } from "node:path"

export const real = join(import.meta.dirname, "..")

export const codexConfig = (codexHome: string, port: number) => `\
model = "stand-in"
model_provider = "stand-in"
model_catalog_json = "${join(codexHome, "models.json")}"
check_for_update_on_startup = false

[model_providers.stand-in]
name = "stand-in"
base_url = "http://127.0.0.1:${port}/v1"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0

[features]
plugins = false
apps = false

[analytics]
enabled = false
`

export const environment = (directory: string, port: number) => ({
  PATH: [join(real, "node_modules", ".bin"), dirname(process.execPath), process.env["PATH"]].join(delimiter),
  LANG: "C.UTF-8",
  HOME: join(directory, "home"),
  // Codex makes no helpers where its home lies below the temporary directory.
  TMPDIR: join(directory, "tmp"),
  CODEX_HOME: join(directory, "codex"),
  ANTHROPIC_BASE_URL: `http://127.0.0.1:${port}`,
  ANTHROPIC_API_KEY: "stand-in-key",
  OPENAI_API_KEY: "stand-in-key",
  GEMINI_API_KEY: "stand-in-key",
  GOOGLE_GEMINI_BASE_URL: `http://127.0.0.1:${port}`,
  // Else it asks a model which model to ask.
  GEMINI_MODEL: "gemini-2.5-pro",
  OPENCODE_DISABLE_AUTOUPDATE: "1",
  OPENCODE_DISABLE_MODELS_FETCH: "1",
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
  // Its own ten retries take three minutes.
  CLAUDE_CODE_MAX_RETRIES: "0",
  DISABLE_AUTOUPDATER: "1",
  // Claude Code refuses to run without asking as root, except where it is told that it is in a container.
  IS_SANDBOX: "1",
  NO_COLOR: "1"
})
