// Package bench measures a broker and a database: it fills both, sends commands, and finds out what
// their events cost.
//
// It sees workers as a user does, through Kafka, Postgres and /metrics. What a command must lead to
// is known when it is made, so that an event that is missing, and a line in another state, are
// found.
//
// Command.Run owns everything that it starts: workers with a goroutine each that awaits their end,
// and where latency is measured one that reads events and one that waits for the warm-up. All have
// ended when it returns.
package bench
