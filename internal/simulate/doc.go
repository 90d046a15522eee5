// Package simulate plays events that somebody brings along on a whole reckon in a
// folder of its own: the lines of scenario files, or a made-up cloud of which it
// proves line by line what was made of it.
//
// All clocks that reach the results stand until they are moved, so that the same
// events come to the same bytes. A Book takes down what the generator wrote, and
// the naive calculator, which shares no code with the stages, says what must be
// invoiced.
package simulate
