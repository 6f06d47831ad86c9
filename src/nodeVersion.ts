/** The oldest Node that Troupe runs on. Imports nothing that an older one may not have. */
import process from "node:process"

const needed = [22, 19] as const

/** "needs Node 22.19 or newer, and this is 20.20.2"; `null`: this Node will do. */
export const nodeTooOld = (version: string = process.versions.node): string | null => {
  const [major = 0, minor = 0] = version.split(".").map(Number)
  return major > needed[0] || (major === needed[0] && minor >= needed[1])
    ? null
    : `needs Node ${needed.join(".")} or newer, and this is ${version}`
}
