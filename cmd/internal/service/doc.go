// Package service runs a worker as a process: it waits for its servers, puts worker, outbox and
// store together, answers probes, and watches what the work rests on, until it is told to stop.
//
// It knows no product: Settings say whose commands a process applies. What it watches are access to
// its servers, its rights, the settings of its topics, the outbox' days, and old transactions. Each
// is told in the log, in a metric, and by /readyz.
package service
