// Package service runs a worker as a process: it waits for its servers, puts worker, outbox and
// store together, answers probes, and watches what the work rests on, until it is told to stop.
//
// It knows no product: Settings say whose commands a process applies. It watches the access to its
// servers, its rights, the settings of its topics, the days of the outbox, and old transactions.
// Log, metrics and /readyz tell of each.
package service
