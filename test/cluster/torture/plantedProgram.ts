/** The program with a bug planted into it: bundled anew from sources of which one is patched while it is read. */
import { rmSync } from "node:fs"
import { join } from "node:path"
import { buildProgram } from "../../../scripts/buildProgram.ts"
import { root } from "../../../scripts/product.ts"
import { planted, problemOf } from "../../simulation/plants.ts"
import type { Plant } from "../../simulation/plants.ts"

export interface PlantedProgram {
  readonly main: string
  readonly remove: () => void
}

/** `null`: the program as it is, in a place where nobody builds another one while it runs. */
export const buildPlanted = async (plant: Plant | null): Promise<PlantedProgram> => {
  const problem = plant === null ? null : problemOf(plant)
  if (problem !== null) throw new Error(problem)
  const outDir = join(root, "dist", "src", `planted-${process.pid}`)
  const plugin = {
    name: "plant",
    transform: (source: string, id: string) =>
      plant !== null && id === join(root, plant.file) ? planted(plant, source) : null
  }
  await buildProgram(outDir, [{ ...plugin, enforce: "pre" }])
  const remove = () => rmSync(outDir, { recursive: true, force: true })
  process.on("exit", remove)
  return { main: join(outDir, "main.js"), remove }
}
