// Package oracle computes, a second time and in the most obvious way, what every
// line of every month must be: the copy that counts, the periods, the
// quantities and the prices (contract sections 2, 3 and 4). It exists to prove
// the stages right, so it shares nothing with them but the vocabulary, and
// prefers a sentence of the contract said in code to speed. Arithmetic is in
// big rationals throughout; decimals appear only where a line is handed out.
//
// It works on the full set of accepted copies, as if nothing had been sealed
// yet. A caller who wants what a seal must issue hands in the copies inside that
// seal's cutoff.
//
// # Readings
//
// Where the contract can be read in two ways, this is the reading taken here:
//
//   - Can a minute belong to a suspended life, or to a void stretch, when some
//     configuration was running in an instant of it? No: nothing of a suspended or
//     void resource is in force, so the last running configuration has the minute,
//     and its period and life have the usage. A minute in which nothing ran is of
//     the last life that was there at any instant of it, and a void stretch was
//     never there. So a resource that is deleted at
//     10:00:10 and of which a new life was created and suspended in the same
//     millisecond of 10:00:20 still pays for 10:00 in its old life.
//   - Which `created` or `recovered` is "the last" for provision_failed? The last
//     that took effect: one that is an anomaly changes nothing.
//   - A life of zero length has no minute, but its configuration is "the last"
//     that `recovered` revives, and the life that goes on.
//   - Are two coupons of equal code and value "the same coupon"? Only when one
//     event brought them: a balance belongs to the event.
//   - Which event is the anomaly no_term? The `created` of the life, even when a
//     later event of the life names an expires_at.
//   - Is usage before the first month, or after the last, unmatched? No: the
//     period is there, there is only no line of it.
//   - Does the allowance of a month also cover a period of the item whose own
//     free_quantity is smaller, or 0? Yes: it is one for the item and month.
//   - Is a `mode` that is left out equal to one that is spelled out, when a copy
//     is compared for conflict? No: what is inherited is no fixed default. An
//     auto_renew left out is equal to false.
package oracle
