// Package security proves on a real Kafka and a real Postgres what the program does over TLS: who
// it trusts, how it says what is wrong, that secrets stay secret and can be changed under a running
// worker, and which rights each role needs. It has only tests, which run the built binary.
package security
