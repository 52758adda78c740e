// Command chaos torments a real system, and proves that it kept its promises.
//
// It starts three Kafka brokers, a Postgres primary with a streaming standby on a small disk, and
// three to five worker processes, which reach both by proxies. Producers send commands, good and
// bad, and remember what Kafka acknowledged. Faults, at random and overlapping, strike workers,
// servers and the network between them. In the end everything recovers, and the checker, which
// knows nothing of the implementation, reads all that is left. It prints a summary in Markdown, and
// exits with 1 when it found anything wrong.
//
// One seed gives the load, and the faults with their order and lengths; when a fault meets which
// transaction is up to the machine.
//
// A campaign owns every process and goroutine; each fault runs in a goroutine of its own, and mends
// what it broke before that ends.
package main
