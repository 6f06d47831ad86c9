/**
 * Of a turn, what its submission is recognised by where it comes again, and the fingerprint of the request. What receipts of
 * turns lead to is moved to its turn; a receipt that has its answer stays as that.
 */
export default [
  `ALTER TABLE turns ADD COLUMN submission text COLLATE "C"`,
  `ALTER TABLE turns ADD COLUMN fingerprint text COLLATE "C"`,
  // A turn that never got a process slot had no key any more.
  `UPDATE turns SET submission = receipts.key, fingerprint = receipts.fingerprint FROM receipts
    WHERE turns.session = receipts.session AND turns.idx = receipts.turn
      AND (turns.failure IS NULL OR turns.failure NOT LIKE '%"class":"pool_full"%')`,
  "DELETE FROM receipts WHERE turn IS NOT NULL AND status IS NULL",
  "CREATE UNIQUE INDEX turns_by_submission ON turns (session, submission) WHERE submission IS NOT NULL"
]
