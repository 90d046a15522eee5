//go:build race

package audit

const underRace = true
