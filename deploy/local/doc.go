// Package local runs Kafka and Postgres for the command dev of any service. Nothing needs to be
// installed, and what they hold survives a restart.
//
// Kafka is kfake, a broker in this process that real clients can connect to. It is not Apache
// Kafka: what is promised about Kafka is proven on the real one, by package testbed. Postgres is
// real: the programs of this machine, or downloaded ones.
//
// Each server serves a folder that nobody else serves at the same time, and ends with this process,
// even by SIGKILL.
package local
