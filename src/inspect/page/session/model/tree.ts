/** Processes as a tree: each under its parent, with the lines that a terminal draws before it. */
import type { Processes } from "../../../sessionContract.ts"

type Process = Processes["tree"][number]

export interface Branch {
  /** Such as `│  └─ `. */
  readonly branch: string
  readonly process: Process
}

/** Those whose parent is not among them are roots: the agent, and what left its tree but carries its marker. */
export const treeOf = (processes: ReadonlyArray<Process>): ReadonlyArray<Branch> => {
  const pids = new Set(processes.map(({ pid }) => pid))
  const childrenOf = (parent: number) => processes.filter(({ pid, ppid }) => ppid === parent && pid !== parent)
  const seen = new Set<number>()
  const walk = (process: Process, before: string, here: string): ReadonlyArray<Branch> => {
    // A pid that was given out anew between two readings may close a circle.
    if (seen.has(process.pid)) return []
    seen.add(process.pid)
    const children = childrenOf(process.pid)
    return [
      { branch: here, process },
      ...children.flatMap((child, n) =>
        n === children.length - 1
          ? walk(child, `${before}   `, `${before}└─ `)
          : walk(child, `${before}│  `, `${before}├─ `)
      )
    ]
  }
  const roots = processes.filter(({ ppid }) => !pids.has(ppid)).flatMap((root) => walk(root, "", ""))
  return [...roots, ...processes.filter(({ pid }) => !seen.has(pid)).flatMap((each) => walk(each, "", ""))]
}
