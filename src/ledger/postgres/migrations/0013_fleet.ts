/**
 * Turns that failed, by when: what may need a person is found without looking at the others. No other turn is in the index. And
 * what is counted of the fleet (`tables/tallies.ts`).
 */
export default [
  "CREATE INDEX turns_failed ON turns (ended_at, session, idx) WHERE status IN ('failed', 'timed_out')",
  `CREATE TABLE fleet_tallies (
    at bigint NOT NULL,
    run text COLLATE "C" NOT NULL,
    app text COLLATE "C" NOT NULL,
    agent text COLLATE "C" NOT NULL,
    version text COLLATE "C" NOT NULL,
    tally text COLLATE "C" NOT NULL,
    PRIMARY KEY (at, run, app, agent, version)
  )`
]
