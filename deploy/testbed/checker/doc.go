// Package checker proves, from Kafka and Postgres alone, that every command took effect exactly once and every event was published.
//
// It imports nothing of the service: it reads the command topics, the events, the dead letters and the tables, decides every command again by a
// deliberately naive model of its own, and compares. Nothing of it is fast or clever.
//
// A product's events have a sequence, and each names the command that made it. So the commands that changed a product stand in one order, which
// the model replays; the commands that changed nothing must have a place between them, in the order of their partition, where the model, too, says
// that they change nothing, or refuses them for the same reason. The places are looked for product by product. Beyond that, the order of the
// commands with effect must be one that every partition and every product agree with.
package checker
