/** Where a codex with this environment has its login, its settings and its rules. Seen on 0.171. */
import { join } from "node:path"

export const codexHomeOf = (env: Readonly<Record<string, string>>): string =>
  env["CODEX_HOME"] ?? join(env["HOME"] ?? "/", ".codex")
