/**
 * The site is built from the pages of `docs/` as they are. What they link to elsewhere in the repository becomes a link to
 * the repository, where package.json names one, and must be there: else the build fails, as for a page that is not there.
 */
import { existsSync } from "node:fs"
import { dirname, join, relative, resolve, sep } from "node:path"
import { defineConfig } from "vitepress"
import type { MarkdownOptions } from "vitepress"
import manifest from "../../../package.json" with { type: "json" }

const docs = resolve(import.meta.dirname, "..", "..")
const root = dirname(docs)

const { repository } = manifest as { readonly repository?: string | { readonly url: string } }
const home = (typeof repository === "string" ? repository : repository?.url)
  ?.replace(/^git\+/, "")
  .replace(/\.git$/, "")

type MarkdownIt = Parameters<NonNullable<MarkdownOptions["config"]>>[0]

/** What is no page of the site: a file elsewhere, or one that is no Markdown. */
const isElsewhere = (target: string) => relative(docs, target).startsWith("..") || !target.endsWith(".md")

const linkToRepository = (markdown: MarkdownIt): void => {
  markdown.core.ruler.push("elsewhere", ({ env, tokens }) => {
    for (const token of tokens.flatMap(({ children }) => children ?? [])) {
      const href = token.type === "link_open" ? token.attrGet("href") : null
      if (href === null || /^([a-z]+:|#|\/)/i.test(href)) continue
      const [path = "", anchor] = href.split("#")
      const target = resolve(dirname(env.realPath ?? env.path), decodeURI(path))
      if (!isElsewhere(target)) continue
      if (!existsSync(target)) throw new Error(`${relative(root, env.path)} links to ${href}, which is not there.`)
      const inRepository = relative(root, target).split(sep).join("/")
      if (home === undefined) token.attrs = [["title", inRepository]]
      else token.attrSet("href", `${home}/blob/main/${inRepository}${anchor === undefined ? "" : `#${anchor}`}`)
    }
  })
}

const page = (text: string, link: string) => ({ text, link })

export default defineConfig({
  title: "Troupe",
  description: "Runs sessions of coding agents as supervised actors",
  srcDir: docs,
  srcExclude: ["site/**"],
  outDir: join(import.meta.dirname, "..", "dist"),
  // The folder's page, as a repository shows it.
  rewrites: { "README.md": "index.md" },
  lastUpdated: false,
  markdown: { config: linkToRepository },
  themeConfig: {
    search: { provider: "local" },
    outline: { level: [2, 3] },
    ...(home === undefined ? {} : { socialLinks: [{ icon: "github" as const, link: home }] }),
    sidebar: [
      {
        text: "Begin",
        items: [
          page("Quick start", "/quick-start"),
          page("Concepts", "/concepts"),
          page("Permissions", "/permissions"),
          page("Agents", "/agents")
        ]
      },
      {
        text: "Use it",
        items: [
          page("Command line", "/cli"),
          page("Editors", "/acp"),
          page("HTTP", "/http"),
          page("Events", "/events"),
          page("Errors", "/errors"),
          page("Library", "/library"),
          page("Effect", "/effect"),
          page("Agents as MCP tools", "/mcp"),
          page("OpenAI's Responses API", "/responses"),
          page("OpenAI's Agents API", "/agents-api"),
          page("AG-UI", "/ag-ui")
        ]
      },
      {
        text: "Operate it",
        items: [
          page("Settings", "/settings"),
          page("Dashboard", "/dashboard"),
          page("Operating", "/operating"),
          page("TLS and proxies", "/proxies"),
          page("Log and webhooks", "/signals"),
          page("Metrics and alerts", "/metrics"),
          page("Several machines", "/scale"),
          page("Security", "/security"),
          page("Troubleshooting", "/troubleshooting")
        ]
      },
      {
        text: "How it is built",
        items: [
          page("Architecture", "/ARCHITECTURE"),
          page("Reliability", "/reliability"),
          page("Performance", "/performance"),
          page("Stately's tools", "/stately")
        ]
      }
    ]
  }
})
