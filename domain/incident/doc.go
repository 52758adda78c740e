// Package incident is what happened to a product, as a file: the state at its start, the commands,
// and what each came to. Replay has today's rules decide the commands again, and Compare finds what
// comes out differently.
//
// It has no I/O but the reader and the writer that it is given, no clock and no goroutine.
package incident
