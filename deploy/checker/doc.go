// Package checker proves, from Kafka and Postgres alone, that every command took effect exactly
// once and every event was published.
//
// It imports nothing of the service: it reads the command topics, the events, the dead letters and
// the tables, decides every command again by a plain model of its own, and compares.
//
// A product's events have a sequence, and each names the command that made it. So the commands that
// changed a product have one order, which the model replays. Each command also comes after the one
// before it in its partition. Both together, over all products, are the chronology. A command that
// changed nothing must have a place in it, between its neighbours in its partition, where the model
// refuses it for the same reason or changes nothing either. What the model comes to in the end must
// be in the tables. Last, one order of all commands must agree with all of these places.
//
// Two things loosen that. A held product, or one of whose commands was retried, keeps the order of
// each partition only among its own commands. Where the database lost a timeline, the lost events
// may stay in the topics if the product's commands came by several partitions. The outbox has the
// events that survived.
//
// One thing is not checked: a command with several legal places is not tried in each of them
// together with all others.
//
// A history of millions must fit into memory: records are packed, commands and events are numbers
// into them, and products are replayed one by one.
package checker
