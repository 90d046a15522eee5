// Package settle says how the lines of sealed months are corrected (contract section 5,
// late events): how each stands over all that was invoiced for it, and by which rows of
// an adjustment it comes to what the events say now.
//
// Invariants:
//   - after a correction the rows of a line add up to the line, quantity and amounts;
//   - every row is the formula of contract section 4, with the sign turned where it takes
//     a line back, but where that takes back what an older version wrote;
//   - what is right is not corrected.
package settle
