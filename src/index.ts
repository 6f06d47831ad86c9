/** The package `troupe`: Effect services and layers under one name. Plain promises are in `troupe/promise`. */
import "./needsNode.ts"

export * as Troupe from "./troupe.ts"
