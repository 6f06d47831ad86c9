/**
 * A diagnosis of a session whose turn runs: what its processes do by the kernel's word, how long its agent has been silent
 * beside how long it usually is, and a verdict in words. Pure.
 *
 * A stopped process, one that waits and one that runs in a circle look the same from the protocol: nothing comes.
 */
import { infoOf } from "../../../machines/session/stateInfo.ts"
import { silenceThatCounts } from "../../domain/attention.ts"
import type { SilenceBounds } from "../../domain/attention.ts"
import { heldUp, leastWork, ofProcessor, wholeProcessor } from "../../domain/heldUp.ts"
import type { InspectedSession, MeasuredProcess } from "../../services/Inspection.ts"
import type { Detail, Diagnosis } from "../sessionContract.ts"
import { named } from "../../domain/named.ts"
import { age } from "./age.ts"
import { markdownOf } from "./diagnosisMarkdown.ts"

export interface Examination {
  readonly detail: Detail
  readonly session: Pick<InspectedSession, "heardAt" | "usualSilence">
  readonly processes: ReadonlyArray<MeasuredProcess>
  readonly stderr: string
  readonly bounds: SilenceBounds
  /** In milliseconds since 1970. */
  readonly now: number
}

export const diagnosisOf = (examination: Examination): Diagnosis => {
  const { detail, now, processes, session, stderr } = examination
  const silence =
    session.heardAt === null
      ? null
      : {
          seconds: Math.max(0, (now - session.heardAt) / 1_000),
          usual_seconds: session.usualSilence === null ? null : session.usualSilence / 1_000
        }
  const commands = new Map(processes.map((process) => [process.pid, process]))
  const found = verdictOf(examination, silence)
  const diagnosis = {
    ...found,
    silence,
    processes: processes.map(({ command, cpu, pid, ppid, rssBytes, state = "?", ...process }) => ({
      pid,
      ppid,
      command,
      state,
      state_words: stateWords[state] ?? "is in a state without a word",
      cpu,
      rss_bytes: rssBytes,
      waits_for: waitWords(process, commands)
    })),
    last_stderr_line: stderr.trim().split("\n").at(-1) ?? ""
  }
  return { ok: true, ...diagnosis, markdown: markdownOf(detail, diagnosis, now / 1_000) }
}

const stateWords: Readonly<Record<string, string>> = {
  R: "runs",
  S: "sleeps",
  D: "waits in the kernel for a device",
  I: "is idle in the kernel",
  T: "is stopped",
  t: "is stopped by a debugger",
  Z: "has ended"
}

type Process = MeasuredProcess
type Verdict = Pick<Diagnosis, "kind" | "verdict">

const verdictOf = (examination: Examination, silence: Diagnosis["silence"]): Verdict => {
  const { detail, processes } = examination
  const info = infoOf(detail.session.substate)
  if (detail.process.unseen !== null) return { kind: "none", verdict: detail.process.unseen }
  if (info?.process !== "up" && info?.process !== "starting" && info?.process !== "stopping")
    return { kind: "none", verdict: detail.why.sentence }
  return (
    heldUp(processes, detail.process.pid) ??
    (info.tags.has("agentAtWork") && !info.tags.has("approvalsOpen") ? ofWork(examination, silence) : null) ?? {
      kind: "none",
      verdict: detail.why.sentence
    }
  )
}

const ofWork = ({ bounds, detail, processes }: Examination, silence: Diagnosis["silence"]): Verdict | null => {
  const main = processes.find(({ pid }) => pid === detail.process.pid) ?? processes[0]
  if (main === undefined) return null
  const { tool } = detail.why.wait
  const others = processes.filter((process) => process !== main)
  return tool === null ? ofAgent(main, others, silence, bounds) : ofTool(tool.title, main, others)
}

const ofTool = (title: string, main: Process, others: ReadonlyArray<Process>): Verdict => {
  const used = sum(others)
  const most = others.toSorted((a, b) => (b.cpu ?? 0) - (a.cpu ?? 0))[0]
  if (most !== undefined && used >= leastWork)
    return {
      kind: "tool_works",
      verdict: `${named(title)} is at work: its processes use ${ofProcessor(used)}, most of it process ${most.pid} (${programOf(most)}).`
    }
  if ((main.cpu ?? 0) >= wholeProcessor)
    return {
      kind: "tool_works",
      verdict: `${named(title)} runs inside of the agent, which uses ${ofProcessor(main.cpu ?? 0)}.`
    }
  if (most === undefined)
    return {
      kind: "tool_waits",
      verdict: `${named(title)} has no process here, and the agent uses no processor: the agent waits for it elsewhere, as at a server of tools.`
    }
  const away = others.flatMap(({ connections }) => connections ?? [])
  const what =
    away.length > 0
      ? `the other end of a connection (${away.slice(0, 3).join(", ")})`
      : "a timer, input or another process"
  const count = others.length === 1 ? "its process uses" : `none of its ${others.length} processes uses`
  return {
    kind: "tool_waits",
    verdict: `${named(title)} runs, and ${count} ${others.length === 1 ? "no" : "a"} processor: it waits, such as for ${what}. The last of them is process ${lastOf(others).pid} (${programOf(lastOf(others))}).`
  }
}

const ofAgent = (
  main: Process,
  others: ReadonlyArray<Process>,
  silence: Diagnosis["silence"],
  bounds: SilenceBounds
): Verdict => {
  const used = sum([main, ...others])
  const seconds = silence?.seconds ?? 0
  const usual = silence?.usual_seconds ?? null
  const isLong = seconds > (usual ?? silenceThatCounts({ usualSilenceMillis: null, used }, bounds) / 1_000)
  const heard = silence === null ? "" : ` It was last heard ${age(seconds)} ago`
  const compared =
    silence === null
      ? ""
      : usual === null
        ? `${heard}${isLong ? ", which is long" : ""}.`
        : `${heard}; 99 of 100 of its silences were not longer than ${age(usual)}${isLong ? ", so this one is long" : ""}.`
  if (used >= wholeProcessor)
    return isLong
      ? {
          kind: "loops",
          verdict: `Its agent uses ${ofProcessor(used)} and says nothing: it looks like a busy loop.${compared}`
        }
      : { kind: "works", verdict: `Its agent is at work: it uses ${ofProcessor(used)}.${compared}` }
  if (used >= leastWork)
    return { kind: "works", verdict: `Its agent is at work: it uses ${ofProcessor(used)}.${compared}` }
  const away = (main.connections ?? []).concat(others.flatMap(({ connections }) => connections ?? []))
  const kind = isLong ? "silent" : "waits"
  if (away.length > 0)
    return {
      kind,
      verdict: `Its agent sleeps with an open connection to ${away.slice(0, 3).join(", ")}: it waits for an answer from there, as of its model.${compared}`
    }
  const last = lastOf(others)
  if (others.length > 0 && main.waitsIn === "do_wait")
    return {
      kind,
      verdict: `Its agent waits for its child to end, process ${last.pid} (${programOf(last)}).${compared}`
    }
  return {
    kind,
    verdict: `Its agent sleeps, uses no processor and has no connection: it waits for nothing that can be seen from outside.${compared}`
  }
}

const sum = (processes: ReadonlyArray<Process>): number => processes.reduce((all, { cpu }) => all + (cpu ?? 0), 0)

/** The deepest of a tree is what the others wait for. */
const lastOf = (processes: ReadonlyArray<Process>): Process => {
  const parents = new Set(processes.map(({ ppid }) => ppid))
  return processes.findLast(({ pid }) => !parents.has(pid)) ?? (processes.at(-1) as Process)
}

const programOf = ({ command }: Process): string => named(command)

/** The kernel's functions that say more than that a process sleeps. */
const functions: ReadonlyArray<readonly [pattern: RegExp, words: string]> = [
  [/^do_wait$|^wait4$|^wait_task/, "its child to end"],
  [/^futex/, "another thread"],
  [/^(pipe_read|pipe_wait|anon_pipe_read)/, "input from a pipe"],
  [/^(n_tty_read|wait_woken$)/, "input from a terminal or a connection"],
  [/^(hrtimer_nanosleep|do_nanosleep)/, "a timer"],
  [/^(ep_poll|do_epoll_wait|poll_schedule_timeout|do_poll|do_select)/, "any of what it watches"],
  [/^(unix_stream|sk_wait_data|inet_csk_accept|tcp_)/, "a connection"],
  [/^(flock_lock|posix_lock|locks_)/, "the lock of a file"],
  [/^(nfs|rpc_|fuse_)/, "a network file system"],
  [/^(io_schedule|wait_on_page|folio_wait|jbd2|blk_)/, "a disk"]
]

const waitWords = (
  { blockedBy, connections, waitsIn }: Pick<Process, "blockedBy" | "connections" | "waitsIn">,
  all: ReadonlyMap<number, Process>
): string | null => {
  if (blockedBy != null) {
    const holder = all.get(blockedBy)
    return `the lock of a file that process ${blockedBy} has${holder === undefined ? "" : ` (${programOf(holder)})`}`
  }
  const words = waitsIn == null ? null : (functions.find(([pattern]) => pattern.test(waitsIn))?.[1] ?? waitsIn)
  const away = connections ?? []
  if (away.length === 0) return words
  const ends = `connected to ${away.slice(0, 3).join(", ")}${away.length > 3 ? ` and ${away.length - 3} more` : ""}`
  return words === null ? ends : `${words}; ${ends}`
}
