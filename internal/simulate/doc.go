// Package simulate keeps the truth about a generated scenario, so that what the
// stages make of it can be proven line by line: a Book takes down what the
// generator wrote, and the naive calculator says what must be invoiced.
//
// It owns no I/O and shares no code with the stages, only the vocabulary.
package simulate
