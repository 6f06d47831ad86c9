/** Histories in which an invariant did not hold once, as short as they were found. */
import type { PlanStep } from "./plan.ts"

export interface Regression {
  readonly what: string
  readonly seed: number
  readonly plan: ReadonlyArray<PlanStep>
}

export const regressions: ReadonlyArray<Regression> = [
  {
    what: "a drain asks a session to stop whose actor ends in the middle of that, because the ledger is away",
    seed: 347,
    plan: [
      { action: "create", a: 846115, b: 144461 },
      { action: "create", a: 18523, b: 37109 },
      { action: "submit", a: 294599, b: 216760 },
      { action: "drain", a: 842796, b: 376246 },
      { action: "killTroupeLater", a: 1259, b: 15677 },
      { action: "submit", a: 84773, b: 467396 },
      { action: "submit", a: 39624, b: 275484 },
      { action: "wait", a: 682354, b: 778102 },
      { action: "wait", a: 195082, b: 569819 },
      { action: "wait", a: 674353, b: 457553 },
      { action: "databaseAway", a: 470861, b: 92013 },
      { action: "wait", a: 42067, b: 346035 },
      { action: "drain", a: 988047, b: 117554 }
    ]
  },
  {
    what: "the end of a lease is refused, and its session needs another one",
    seed: 159,
    plan: [
      { action: "create", a: 369605, b: 716815 },
      { action: "submit", a: 872611, b: 239606 },
      { action: "databaseAway", a: 683945, b: 556203 },
      { action: "waitLong", a: 732323, b: 436430 },
      { action: "databaseRefuses", a: 524768, b: 155336 },
      { action: "waitLong", a: 402493, b: 911686 }
    ]
  },
  {
    what: "an actor dies between the commit that ends a turn and those who wait for it",
    seed: 1032,
    plan: [
      { action: "create", a: 763529, b: 0 },
      { action: "create", a: 297164, b: 917798 },
      { action: "submit", a: 510546, b: 393835 },
      { action: "killTroupe", a: 828697, b: 894725 },
      { action: "killTroupe", a: 38630, b: 453232 },
      { action: "create", a: 739358, b: 256004 },
      { action: "submit", a: 374699, b: 244396 },
      { action: "databaseSlow", a: 51157, b: 939264 },
      { action: "create", a: 500795, b: 491043 },
      { action: "wait", a: 922579, b: 317126 },
      { action: "submit", a: 650636, b: 727180 },
      { action: "wait", a: 151400, b: 775537 },
      { action: "wait", a: 179456, b: 399356 },
      { action: "databaseRefuses", a: 269178, b: 996520 },
      { action: "killProcess", a: 379957, b: 189309 },
      { action: "waitLong", a: 234743, b: 623877 }
    ]
  },
  {
    what: "events are refused in the background while a step of the same session is on its way",
    seed: 2071,
    plan: [
      { action: "create", a: 661719, b: 0 },
      { action: "create", a: 489357, b: 400102 },
      { action: "create", a: 549222, b: 176748 },
      { action: "create", a: 661692, b: 992614 },
      { action: "create", a: 911200, b: 111122 },
      { action: "create", a: 360487, b: 157176 },
      { action: "submit", a: 826107, b: 224187 },
      { action: "killTroupe", a: 240886, b: 596000 },
      { action: "submit", a: 500428, b: 530458 },
      { action: "killTroupeLater", a: 328227, b: 591169 },
      { action: "submit", a: 149678, b: 1705 },
      { action: "wait", a: 833392, b: 973665 },
      { action: "answersLost", a: 780904, b: 429604 },
      { action: "submit", a: 867198, b: 943580 },
      { action: "databaseRefuses", a: 760920, b: 80347 },
      { action: "databaseAway", a: 991822, b: 524657 },
      { action: "wait", a: 257897, b: 787516 },
      { action: "wait", a: 929915, b: 662007 },
      { action: "wait", a: 527489, b: 829835 }
    ]
  }
]
