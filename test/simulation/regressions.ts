/** Histories in which an invariant did not hold once, as short as they were found. */
import { planOf } from "./plan.ts"
import type { PlanStep } from "./plan.ts"

export interface Regression {
  readonly what: string
  readonly seed: number
  readonly plan: ReadonlyArray<PlanStep>
  /** Troupes on one ledger; absent: one. */
  readonly nodes?: number
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
  },
  {
    what: "a turn takes the refusal of its session's earlier request for its own, and its slot is nobody's",
    seed: 500861,
    plan: [
      { action: "create", a: 859698, b: 0 },
      { action: "submit", a: 117144, b: 735207 },
      { action: "submit", a: 193468, b: 883382 },
      { action: "submit", a: 625417, b: 287117 },
      { action: "submit", a: 917790, b: 78454 },
      { action: "submit", a: 16550, b: 32759 },
      { action: "waitLong", a: 603304, b: 439501 },
      { action: "create", a: 295482, b: 652572 },
      { action: "submit", a: 274436, b: 654034 },
      { action: "killTroupeLater", a: 53293, b: 408186 },
      { action: "submit", a: 722651, b: 127028 },
      { action: "create", a: 229446, b: 853455 },
      { action: "waitLong", a: 777160, b: 626082 },
      { action: "create", a: 495907, b: 662884 },
      { action: "databaseAway", a: 400647, b: 629829 },
      { action: "killTroupeLater", a: 21627, b: 728201 },
      { action: "submit", a: 356135, b: 105804 },
      { action: "wait", a: 971489, b: 572711 },
      { action: "submit", a: 878988, b: 606228 },
      { action: "waitLong", a: 750631, b: 982718 },
      { action: "create", a: 209495, b: 978517 },
      { action: "submit", a: 741906, b: 415881 },
      { action: "submit", a: 705805, b: 542447 },
      { action: "submit", a: 412523, b: 523546 },
      { action: "create", a: 331684, b: 169643 },
      { action: "compact", a: 858058, b: 373078 },
      { action: "databaseSlow", a: 112807, b: 778300 },
      { action: "submit", a: 316261, b: 446981 },
      { action: "databaseAway", a: 534802, b: 29123 },
      { action: "wait", a: 364682, b: 733678 },
      { action: "wait", a: 56545, b: 729944 },
      { action: "killTroupeLater", a: 337891, b: 469778 },
      { action: "wait", a: 491504, b: 98999 },
      { action: "wait", a: 789758, b: 236412 },
      { action: "wait", a: 883609, b: 992775 },
      { action: "wait", a: 324854, b: 341552 },
      { action: "submit", a: 10528, b: 34809 }
    ]
  },
  {
    what: "a turn fails because the lease of its session's last process is not closed yet, when the ledger has just come back",
    seed: 3,
    plan: [
      { action: "create", a: 720226, b: 0 },
      { action: "submit", a: 690708, b: 773923 },
      { action: "databaseRefuses", a: 582806, b: 886531 },
      { action: "databaseAway", a: 813542, b: 316096 },
      { action: "waitLong", a: 125496, b: 192657 }
    ]
  },
  {
    what: "a node hears of its claim only when another one has claimed the session since",
    seed: 810,
    plan: planOf(810, 100, 2),
    nodes: 2
  },
  {
    what: "a node's clock is set while it starts an agent, and no renewal of its lease counts any more",
    seed: 150,
    plan: planOf(150, 200, 2),
    nodes: 2
  },
  {
    what: "a session can't be let go of, because the ledger is away, and its turns wait",
    seed: 512,
    plan: [
      { action: "create", a: 473093, b: 859409 },
      { action: "create", a: 753324, b: 836202 },
      { action: "submitKeyed", a: 148426, b: 804237 },
      { action: "create", a: 130360, b: 229396 },
      { action: "compact", a: 731513, b: 543344 },
      { action: "letGo", a: 795825, b: 812689 },
      { action: "read", a: 963857, b: 517472 },
      { action: "submit", a: 646490, b: 107197 },
      { action: "databaseAway", a: 226505, b: 297348 },
      { action: "submit", a: 348878, b: 426137 },
      { action: "letGo", a: 945947, b: 666019 },
      { action: "wait", a: 921794, b: 608506 },
      { action: "wait", a: 432121, b: 179075 }
    ],
    nodes: 2
  }
]
