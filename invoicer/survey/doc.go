// Package survey looks, between seals, at what bills nothing of all that is stored: seals
// tell of their months' anomalies when months end, which is late for a product team whose
// meter is wrong.
//
// A survey is a seal's derivation without a seal: from the last snapshots over what came
// since, of resources that late events touched over all that there is. It notes nothing in
// the run log, waits for nobody, and nobody waits for it.
//
// Invariants:
//   - what a survey tells follows from the runs it rests on, the accounts that it leaves
//     out and its cutoff, which its ID is the digest of: two processes that survey the same
//     write the same rows;
//   - a survey holds from its row in surveys on, which comes last: one that breaks off
//     shows nothing;
//   - where nothing came since the survey that holds, nothing is written.
package survey
