// Package contest is what the contestants of make compare that are not ours have in common: how
// they are told where things are, what they read, what they publish, and how they make their
// tables. It decides nothing.
package contest
