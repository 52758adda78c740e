// Package contest is what the contestants of make compare have in common: their tasks, how those
// that are not ours are told where things are, and how they make their tables. It decides nothing.
package contest
