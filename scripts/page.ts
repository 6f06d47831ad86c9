/**
 * `npm run page`: the dashboard's page as files in dist/page, which the server gives out.
 *
 * With `--if-stale` only where its sources changed since. Three products: the page, with what it loads later in chunks of
 * their own; `export.html`, one file with everything inside, into which the server puts an exported session; and `docs.html`,
 * one file too, which is the page at `/docs`.
 */
import { createHash } from "node:crypto"
import { readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { gzipSync } from "node:zlib"
import type { InlineConfig, Rolldown } from "vite"
import { productOf, root } from "./product.ts"

const source = join(root, "src", "inspect", "page")

/** What a visitor waits for: everything that index.html asks for before it shows something, packed. */
const firstLoadBytes = 500_000
/** The page at `/docs`, as it is sent. */
const docsBytes = 100_000

const patterns = [
  "src/inspect/page/**/*.*",
  "src/inspect/{client,chart,detail}/*.ts",
  "src/{inspect,domain}/*.ts",
  "machines/**/*.ts"
]
const page = productOf(join(root, "dist", "page"), [
  ...patterns,
  "scripts/{page,chartLayout,layOut,product}.ts",
  "package-lock.json"
])
const { fresh } = page

// Late: most starts need none of it.
const { build } = await import("vite")
const { chartLayout } = await import("./chartLayout.ts")

const shared: InlineConfig = {
  root: source,
  base: "./",
  configFile: false,
  envDir: false,
  publicDir: false,
  logLevel: "warn",
  plugins: [chartLayout()],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } }
}
const output = {
  target: "es2023",
  cssTarget: ["chrome123", "firefox125", "safari17.5"],
  modulePreload: { polyfill: false },
  // Where a build's time went is of interest to nobody who starts a server.
  rolldownOptions: { checks: { pluginTimings: false } },
  // The page's policy lets nothing in from data: addresses but images.
  assetsInlineLimit: 0,
  reportCompressedSize: false,
  chunkSizeWarningLimit: 2_000
} satisfies InlineConfig["build"]

const buildPage = () =>
  build({ ...shared, build: { ...output, outDir: fresh, emptyOutDir: true, manifest: "manifest.json" } })

/** One file with everything inside, of the folder's `main.tsx` and its template. `more` is added to the page's policy. */
const buildOneFile = async (folder: string, template: string, more: ReadonlyArray<string> = []): Promise<string> => {
  const built = (await build({
    ...shared,
    build: {
      ...output,
      write: false,
      cssCodeSplit: false,
      rolldownOptions: {
        ...output.rolldownOptions,
        input: join(source, folder, "main.tsx"),
        output: { codeSplitting: false }
      }
    }
  })) as Rolldown.RolldownOutput
  const parts = built.output.map((part) =>
    part.type === "chunk" ? { name: part.fileName, text: part.code } : { name: part.fileName, text: `${part.source}` }
  )
  const all = (ending: string) =>
    parts
      .filter(({ name }) => name.endsWith(ending))
      .map(({ text }) => text)
      .join("\n")
  // Neither may end the element that it stands in.
  const script = all(".js")
    .replaceAll("</script", String.raw`\x3c/script`)
    .replaceAll("<!--", String.raw`\x3c!--`)
  const style = all(".css").replaceAll("</style", String.raw`\3c/style`)
  const hash = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`
  const policy = [
    "default-src 'none'",
    `script-src ${hash(script)}`,
    `style-src ${hash(style)}`,
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    ...more
  ].join("; ")
  return readFileSync(join(source, folder, template), "utf8")
    .replace("<!--troupe-csp-->", () => `<meta http-equiv="content-security-policy" content="${policy}" />`)
    .replace("<!--troupe-style-->", () => `<style>${style}</style>`)
    .replace("<!--troupe-script-->", () => `<script type="module">${script}</script>`)
}

interface Chunk {
  readonly file: string
  readonly css?: ReadonlyArray<string>
  readonly imports?: ReadonlyArray<string>
}

const firstLoad = (): ReadonlyArray<string> => {
  const manifest = JSON.parse(readFileSync(join(fresh, "manifest.json"), "utf8")) as Readonly<Record<string, Chunk>>
  const files = new Set(["index.html"])
  const add = (key: string): void => {
    const chunk = manifest[key]
    if (chunk === undefined || files.has(chunk.file)) return
    for (const file of [chunk.file, ...(chunk.css ?? [])]) files.add(file)
    for (const next of chunk.imports ?? []) add(next)
  }
  add("index.html")
  return [...files]
}

await buildPage()
writeFileSync(join(fresh, "export.html"), await buildOneFile("export", "export.html"))
// It asks the server that it came from, and nobody else.
const docs = await buildOneFile("docs", "docs.html", ["connect-src 'self'"])
writeFileSync(join(fresh, "docs.html"), docs)

const first = firstLoad()
rmSync(join(fresh, "manifest.json"))
const packed = (file: string) => gzipSync(readFileSync(join(fresh, file))).length
const bytes = first.reduce((sum, file) => sum + packed(file), 0)
const kilobytes = (bytes / 1000).toFixed(0)
if (bytes > firstLoadBytes) {
  console.error(
    `The page's first load is ${kilobytes} kB packed, more than ${firstLoadBytes / 1000}: load a part later.`
  )
  process.exit(1)
}
if (docs.length > docsBytes) {
  console.error(`docs.html has ${docs.length} bytes, more than ${docsBytes}.`)
  process.exit(1)
}
page.publish(`the dashboard, first load ${kilobytes} kB packed; the docs, ${(docs.length / 1000).toFixed(0)} kB`)
