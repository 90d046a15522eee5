// Package telemetry shows from outside how a running reckon does: its log, its
// metrics, whether it lives and whether it is ready; and it keeps a stage
// running that stopped.
//
// It knows no stage and no setting: it is handed names, addresses, a logger
// and a clock. It never decides what is an error, it only shows it.
package telemetry
