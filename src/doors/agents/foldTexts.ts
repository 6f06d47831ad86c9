/** An agent's texts as items, from the chunks in which they come. One is open at a time. */
import { contentText } from "../../conversation/contentText.ts"
import type { SessionUpdate } from "../../domain/Acp.ts"
import { nonEmptyTextIn, objectIn } from "../../domain/json.ts"
import type { JsonObject } from "../../domain/json.ts"
import type { ItemList } from "./itemList.ts"
import type { UnnamedEvent } from "./sdk.ts"
import * as TextItem from "./textItems.ts"

type Events = ReadonlyArray<UnnamedEvent>

export const foldTexts = (list: ItemList) => {
  let open: TextItem.OpenText | null = null

  const close = (because: TextItem.Closed): Events => {
    if (open === null) return []
    const closed = open
    open = null
    return [...TextItem.endOf(closed, because), list.finish(TextItem.itemOf(closed, because), closed)]
  }

  const begin = (kind: TextItem.OpenText["kind"], source: string | null): Events => {
    open = TextItem.begin(kind, source, list.nextSpot(), list.place)
    return [list.add(TextItem.emptyOf(open), open), TextItem.beginOf(open)]
  }

  return {
    close,
    append: (kind: TextItem.OpenText["kind"], update: SessionUpdate): Events => {
      const { text } = contentText(update["content"])
      const meta = objectIn(update["_meta"])
      const source = nonEmptyTextIn(update["messageId"])
      const isSame = open !== null && open.kind === kind && (source === null || source === open.source)
      if (text === "" && !isSame) return []
      const before = isSame ? [] : [...close("followed"), ...begin(kind, source)]
      const growing = open!
      growing.text += text
      growing.phase = phaseIn(meta) ?? growing.phase
      list.replace(TextItem.itemOf(growing, null), growing)
      const told = text === "" ? before : [...before, TextItem.deltaOf(growing, text)]
      return meta["troupe/completed"] === true ? [...told, ...close("said")] : told
    }
  }
}

const phaseIn = ({ "troupe/phase": phase }: JsonObject): TextItem.Phase =>
  phase === "commentary" || phase === "final_answer" ? phase : null
