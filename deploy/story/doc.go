// Package story proves, from Kafka and Postgres alone, that orders, stock and the warehouse told
// one story: what customers wanted, what was reserved, and what left.
//
// It imports nothing of the services. It reads the topics of all three, adds up what they tell, and
// compares that with the tables, and one service with the other two. Records may come twice, as
// services publish at least once. It is for when all is quiet: nothing is sent, and everything that
// was is applied.
//
// A [Checker] takes the records of each partition in their order; partitions may be taken in any.
// It keeps sums, and no record: a history of millions fits into memory.
package story
