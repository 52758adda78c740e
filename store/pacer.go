package store

import "time"

// Pacer pauses now and then while a transaction deals with very many rows, as when a batch of stock
// with a hundred thousand lines shrinks. In one go, this process and Postgres would keep a small
// machine's processors busy, and commands of other appliers would wait for tens of milliseconds
// (docs/performance.md). The zero value is ready to use.
type Pacer struct{ rows int }

const (
	pacedAbove = 5_000            // rows; a transaction of the usual size has fewer
	paceEvery  = 1_000            // rows from there on
	pacePause  = time.Millisecond // too short to end with a context
)

// Row counts one more row.
func (p *Pacer) Row() {
	if p.rows++; p.rows > pacedAbove && p.rows%paceEvery == 0 {
		<-time.After(pacePause)
	}
}
