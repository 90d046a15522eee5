// Command reckon meters and invoices what a cloud provider's customers use: one
// program whose subcommands are the stages, the tools of finance and operations,
// and the demo.
//
// This room wires: settings, signals, the clock, the schedule and supervision.
// What is decided about events and money is decided in the stages.
package main
