// Package checker proves, from Kafka and Postgres alone, that every command took effect exactly
// once and every event was published.
//
// It imports nothing of the service: it reads the command topics, the events, the dead letters and
// the tables, decides every command again by a plain model of its own, and compares.
//
// A product's events have a sequence, and each names the command that made it. So the commands that
// changed a product stand in one order, which the model replays. Each also stands after the one
// before it in its partition; what follows from both, through all products, is the chronology. A
// command that changed nothing must have a place between the neighbours of its partition in that
// chronology where the model, too, says that it changes nothing, or refuses it for the same reason.
// Last, one order of all commands must agree with all of these places at once.
//
// Two things loosen that. A product that a dead letter held, or of which one was applied again,
// keeps the order of each partition only among its own commands. And where the database lost a
// timeline, what it had published may stay in the topics, if the product's commands came by several
// partitions; what survived is what the outbox has.
//
// What it cannot tell: a command with several separate places, all legal, is not tried in each of
// them together with all others; and events whose commands were deleted from Kafka, with nobody who
// remembers them, are only checked for order and against the tables. It says so (RuleUnseen).
//
// A history of millions must fit into memory: records are packed, commands and events are numbers
// into them, and products are replayed one by one.
package checker
