/** The verifier that receivers use: the package of Standard Webhooks, installed beside this file at its first use (100 kB). */
import { execFileSync } from "node:child_process"
import { existsSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"

const home = import.meta.dirname

interface Verifier {
  /** The body as JSON; throws where signature or time are wrong. */
  readonly verify: (body: string, headers: Readonly<Record<string, string>>) => unknown
}

export const verifierOf = (secret: string): Verifier => {
  if (!existsSync(join(home, "node_modules", "standardwebhooks"))) {
    const npm = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", `--prefix=${home}`]
    execFileSync("npm", npm, { cwd: home, stdio: "inherit", timeout: 60_000 })
  }
  const { Webhook } = createRequire(import.meta.url)("standardwebhooks") as {
    readonly Webhook: new (secret: string) => Verifier
  }
  return new Webhook(secret)
}
