// Package logs is the store of what is known of the logs: which there were, and how far
// each of their partitions is stored (contract 2).
package logs
