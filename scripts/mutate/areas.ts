/** Which files mutants are made of, and which tests look at a file first. */
import { globSync } from "node:fs"
import { basename, dirname, join } from "node:path"

export const areas: Readonly<Record<string, string>> = {
  machines: "machines",
  session: "src/session",
  supervision: "src/supervision",
  ledger: "src/ledger"
}

export const filesOf = (root: string, folder: string): ReadonlyArray<string> =>
  globSync(`${folder}/**/*.ts`, { cwd: root }).toSorted()

/**
 * The tests named after the file, of any project (`turnWatch.test.ts` and `turnWatch.*.test.ts` for `TurnWatch.ts`);
 * where there are none, those of `npm test` in the nearest folder that mirrors the file's. As arguments for vitest.
 */
export const testsNear = (root: string, file: string): ReadonlyArray<string> => {
  const name = basename(file, ".ts")
  const stem = `${name.charAt(0).toLowerCase()}${name.slice(1)}`
  let folder = join("test", dirname(file).replace(/^src\//, ""))
  const named = globSync(`${folder}/${stem}{,.*}.test.ts`, { cwd: root }).toSorted()
  if (named.length > 0) return named
  for (; folder !== "."; folder = dirname(folder)) {
    if (folder !== "test" && globSync(`${folder}/*.test.ts`, { cwd: root }).length > 0)
      return ["--project", "fast", `${folder}/`]
  }
  return ["--project", "fast", "no test is near"]
}
