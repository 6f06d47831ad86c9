/** The program with a bug planted into it: bundled anew from sources of which one is patched while it is read. */
import { rmSync } from "node:fs"
import { join } from "node:path"
import { buildProgram } from "../../../scripts/buildProgram.ts"
import { root } from "../../../scripts/product.ts"
import { planted, problemOf } from "../../simulation/plants.ts"
import type { Patch } from "../../simulation/plants.ts"

export interface PlantedProgram {
  readonly main: string
  readonly remove: () => void
}

/** Without a patch: the program as it is, in a place where nobody builds another one while it runs. */
export const buildPlanted = async (...plants: ReadonlyArray<Patch>): Promise<PlantedProgram> => {
  const problem = plants.map(problemOf).find((found) => found !== null)
  if (problem !== undefined) throw new Error(problem)
  const outDir = join(root, "dist", "src", `planted-${process.pid}`)
  const plugin = {
    name: "plant",
    transform: (source: string, id: string) => {
      const plant = plants.find(({ file }) => id === join(root, file))
      return plant === undefined ? null : planted(plant, source)
    }
  }
  await buildProgram(outDir, [{ ...plugin, enforce: "pre" }])
  const remove = () => rmSync(outDir, { recursive: true, force: true })
  process.on("exit", remove)
  return { main: join(outDir, "main.js"), remove }
}
