// Package testbed gives tests a real Kafka and a real Postgres.
//
// They come from, in this order: the variables KAFKA_BROKERS and DATABASE_URL (an owner who may
// create databases and roles); containers, where a Docker engine answers and the images can be had;
// programs on this machine, of which some are fetched. What is missing is an error that says what
// to install, never a skipped test.
//
// [Kafka], [Database] and [Topic] share one server of each in a test process, or in a whole run by
// the program with; every test has its own database and its own topics, so tests run in parallel.
// [StartKafka] and [StartPostgres] start servers of a test's own, which it may stop, kill and
// freeze.
//
// Nothing is left after a run, however it ends: servers die with the process that started them, and
// a small shell removes their folders when it is gone.
package testbed
