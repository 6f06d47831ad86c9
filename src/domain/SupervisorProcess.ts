/**
 * A process that runs Troupe, as the leases of its agents name it. A pid alone identifies nothing: numbers are used again,
 * and each container counts its own. Fields are `null` where the kernel has no `/proc`.
 */
export interface SupervisorProcess {
  readonly pid: number
  readonly startTime: string | null
  readonly pidNamespace: string | null
}
