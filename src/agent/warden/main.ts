/**
 * The warden: ends all agents of a Troupe that died without doing so itself, as by `kill -9` or the kernel's OOM killer.
 *
 * It is a process of its own at the other end of a pipe, and the end of that pipe is the end of Troupe. It uses nothing
 * but Node, so that it starts fast and stays small. Troupe's next start looks for what it may have missed.
 *
 * A node among others also says until when its agents may run, again and again. When that time has passed, because the node
 * is stopped, hangs or can't reach the ledger, all agents are ended: another node is about to go on with their sessions.
 */
import process from "node:process"
import { createInterface } from "node:readline"
import { setTimeout as pause } from "node:timers/promises"
import { searchFor, stillOurs } from "../leaseSearch.ts"
import type { Leader } from "../leaseSearch.ts"
import * as ProcessTable from "../processTable.ts"
import * as Instant from "./instant.ts"
import { decode } from "./lines.ts"

/** As long as a sweep of Troupe's own tries. */
const endWithinMillis = 10_000
const pollMillis = 5
/** So late may the end of a machine's sleep be noticed, in which timers stand still. */
const lookMillis = 200

/** By lease: its process groups and their leaders. */
const held = new Map<string, Map<number, Leader>>()

const take = (text: string) => {
  const line = decode(text)
  if (line === null) return
  if (line[0] === "until") return extend({ wall: line[1], monotonic: line[2] })
  const [kind, lease] = line
  if (kind === "release") return void held.delete(lease)
  if (kind === "ended") return void held.get(lease)?.delete(line[2])
  const groups = held.get(lease) ?? new Map<number, Leader>()
  held.set(lease, kind === "group" ? groups.set(line[2], { startTime: line[3] }) : groups)
  // It was spawned by a node that was stopped in the middle of that.
  if (isOver) void endAll()
}

/** `null`: they may run as long as Troupe does. */
let until: Instant.Instant | null = null
/** That time has passed. */
let isOver = false
let nextLook: NodeJS.Timeout | undefined

const extend = (to: Instant.Instant) => {
  // First: where the whole machine slept, the node may have woken before this process.
  look()
  until = to
  isOver = false
  look()
}

const look = () => {
  clearTimeout(nextLook)
  if (until === null || isOver) return
  const left = -Instant.millisBetween(until, Instant.now())
  isOver = left <= 0
  if (isOver) void endAll()
  else nextLook = setTimeout(look, Math.min(left, lookMillis))
}

const groupsOf = (lease: string): ReadonlyArray<number> =>
  [...(held.get(lease) ?? [])].flatMap(([group, leader]) => (stillOurs(group, leader) ? [group] : []))

/** SIGKILL until the kernel has none of them any more. */
const endAll = async () => {
  const deadline = performance.now() + endWithinMillis
  const leases = [...held.keys()]
  while (leases.length > 0 && performance.now() < deadline) {
    const groups = leases.flatMap(groupsOf)
    for (const group of groups) ProcessTable.send(-group, "SIGKILL")
    const unread = ProcessTable.unreadCount()
    const search = searchFor(leases, groupsOf)
    const found = ProcessTable.pids().flatMap((pid) => search(pid)?.stat.pid ?? [])
    for (const pid of found) ProcessTable.send(pid, "SIGKILL")
    const isWhole = ProcessTable.unreadCount() === unread
    if (found.length === 0 && isWhole && (ProcessTable.readable || groups.length === 0)) return
    await pause(pollMillis)
  }
}

// A service manager or a terminal signals all processes at once. Troupe decides what ends when, and this ends after it.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {})

const lines = createInterface({ input: process.stdin })
lines.on("line", take)
lines.on("close", () => void endAll().finally(() => process.exit()))
