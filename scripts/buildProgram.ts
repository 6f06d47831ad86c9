/** Bundles the program `troupe`, the demo agent and the warden: `main.js`, `demo/main.js` and `warden/main.js`. */
import { chmodSync } from "node:fs"
import { join } from "node:path"
import { build } from "vite"
import type { Plugin, Rolldown } from "vite"
import { root } from "./product.ts"

/** `outDir` is as deep in dist as every other file that looks for the page beside dist/src. */
export const buildProgram = async (outDir: string, plugins: Array<Plugin> = []): Promise<void> => {
  await build({
    root,
    configFile: false,
    envDir: false,
    publicDir: false,
    logLevel: "warn",
    plugins,
    // Packages that few commands load stay what they are: dependencies of the package.
    ssr: { noExternal: true, external: ["openai"] },
    build: {
      ssr: true,
      target: "node22",
      minify: false,
      outDir,
      emptyOutDir: true,
      rolldownOptions: {
        checks: { pluginTimings: false },
        input: {
          main: join(root, "src/main.ts"),
          "demo/main": join(root, "src/agent/demo/main.ts"),
          "warden/main": join(root, "src/agent/warden/main.ts")
        },
        output: { entryFileNames: "[name].js", chunkFileNames: "[name]-[hash].js" }
      }
    }
  })
  chmodSync(join(outDir, "main.js"), 0o755)
}

/** Each program that runs beside the library, whole in one text: what an app carries that is bundled into one file. */
export const programTexts = async (): Promise<Record<"demo" | "warden", string>> => ({
  demo: await programText("src/agent/demo/main.ts"),
  warden: await programText("src/agent/warden/main.ts")
})

const programText = async (input: string): Promise<string> => {
  const built = (await build({
    root,
    configFile: false,
    envDir: false,
    publicDir: false,
    logLevel: "warn",
    ssr: { noExternal: true },
    build: {
      ssr: true,
      target: "node22",
      minify: false,
      write: false,
      rolldownOptions: { checks: { pluginTimings: false }, input: join(root, input), output: { codeSplitting: false } }
    }
  })) as Rolldown.RolldownOutput
  return built.output[0].code
}
